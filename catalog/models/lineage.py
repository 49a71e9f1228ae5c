from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from catalog.access import Capability, may
from catalog.models.feature import Feature
from catalog.models.fields import Status

if TYPE_CHECKING:
    from catalog.access import Reader


class NodeKind(models.TextChoices):
    RAW_TABLE = "raw_table", _("raw table")
    RAW_COLUMN = "raw_column", _("raw column")
    TRANSFORMATION = "transformation", _("transformation")
    SOURCE_TABLE = "source_table", _("source table")
    SOURCE_COLUMN = "source_column", _("source column")
    FEATURE = "feature", _("feature")
    SERVICE = "service", _("feature service")
    DATASET = "dataset", _("training dataset")
    MODEL = "model", _("model")

    @property
    def style(self) -> str:
        """The tail of its class in drawings and legends, in every language."""
        return {"service": "feature-service", "dataset": "training-dataset"}.get(self.value, self.value)


class LineageNodeQuerySet(models.QuerySet["LineageNode"]):
    def visible_to(self, user: Reader) -> LineageNodeQuerySet:
        """The nodes that ``user`` may know of: those of hidden features are left out."""
        if not may(user, Capability.SEE_METADATA):
            return self.none()
        if may(user, Capability.EDIT_CATALOG):
            return self
        return self.exclude(Q(feature__status=Status.ARCHIVED) | Q(feature__group__status=Status.ARCHIVED))


class LineageNode(models.Model):
    """Something that values come from or go to."""

    kind = models.CharField(max_length=20, choices=NodeKind.choices)
    name = models.CharField(max_length=255, help_text="Unique within its kind: table, table.column, entity_feature_v1.")
    description = models.TextField(blank=True)
    feature = models.ForeignKey(Feature, null=True, blank=True, on_delete=models.CASCADE, related_name="lineage_nodes")

    objects = LineageNodeQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["kind", "name"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["kind", "name"], name="lineage_node_once")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.name}"


class LineageEdge(models.Model):
    """``target`` is made from ``source``."""

    source = models.ForeignKey(LineageNode, on_delete=models.CASCADE, related_name="outgoing")
    target = models.ForeignKey(LineageNode, on_delete=models.CASCADE, related_name="incoming")
    transformation = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["source_id", "target_id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "target"], name="lineage_edge_once"),
            models.CheckConstraint(condition=~Q(source=F("target")), name="lineage_edge_not_to_itself"),
        ]

    def __str__(self) -> str:
        return f"{self.source} → {self.target}"
