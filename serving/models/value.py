from __future__ import annotations

from typing import ClassVar

from django.db import models

from catalog.models import FeatureGroup
from serving.models.fields import EntityKeyField, InstantField


class FeatureValue(models.Model):
    """The online store's row: the newest known values of one entity in one group, keyed by value column."""

    group = models.ForeignKey(FeatureGroup, on_delete=models.CASCADE, related_name="online_rows")
    entity_key = EntityKeyField()
    values = models.JSONField()
    event_timestamp = InstantField()
    created_timestamp = InstantField()
    arrival = models.BigIntegerField(default=0)
    run_id = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["group", "entity_key"], name="online_row_once")]

    def __str__(self) -> str:
        return f"{self.group.name} {self.entity_key}"


class MaterializedTable(models.Model):
    """How far a group's history has been carried into the online store."""

    group = models.OneToOneField(FeatureGroup, on_delete=models.CASCADE, related_name="materialized")
    table_version = models.BigIntegerField(help_text="Version of the Delta table that the online rows reflect.")
    online_rows = models.BigIntegerField(default=0)
    history_rows = models.BigIntegerField(default=0)
    history_bytes = models.BigIntegerField(default=0)
    newest_event = models.DateTimeField(null=True, blank=True)
    next_event = models.DateTimeField(
        null=True, blank=True, help_text="Earliest event that was still in the future, and so is not online yet."
    )
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.group.name} at version {self.table_version}"
