from __future__ import annotations

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from catalog.access import Capability, may

if TYPE_CHECKING:
    from catalog.access import Reader


class DatasetState(models.TextChoices):
    QUEUED = "queued", _("queued")
    RUNNING = "running", _("running")
    SUCCEEDED = "succeeded", _("succeeded")
    FAILED = "failed", _("failed")


OPEN_STATES = (DatasetState.QUEUED, DatasetState.RUNNING)


class TrainingDatasetQuerySet(models.QuerySet["TrainingDataset"]):
    def visible_to(self, user: Reader) -> TrainingDatasetQuerySet:
        """The training datasets that ``user`` may know of; their values are another matter."""
        return self if may(user, Capability.SEE_METADATA) else self.none()

    def unfinished(self) -> TrainingDatasetQuerySet:
        return self.filter(state__in=OPEN_STATES, archived_at__isnull=True)


class TrainingDataset(models.Model):
    """The stored result of a historical retrieval, with everything pinned that it was made from.

    This row is the truth about its building; messages only wake a worker to look at it. ``attempts`` grows with
    every taking, so that a builder that was given up for dead cannot finish what another has begun.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="training_datasets"
    )
    created_by = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=20, choices=DatasetState.choices, default=DatasetState.QUEUED, db_index=True)
    progress = models.FloatField(default=0.0, help_text="Share that is done, 0 to 1.")
    error = models.TextField(blank=True)
    spec = models.JSONField(help_text="What it is made from, pinned: see serving.datasets.pins.")
    entity_rows = models.BigIntegerField(default=0)
    entity_rows_hash = models.CharField(max_length=64)
    result_file = models.CharField(max_length=200, blank=True)
    row_count = models.BigIntegerField(null=True, blank=True)
    byte_count = models.BigIntegerField(null=True, blank=True)
    columns = models.JSONField(default=list, blank=True, help_text="[{name, type, feature_id?, masked?}]")
    content_hash = models.CharField(max_length=64, blank=True)
    code_version = models.CharField(max_length=200, blank=True)
    verification = models.JSONField(null=True, blank=True, help_text="The newest report of verifying it.")
    verified_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_index=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    builder = models.CharField(max_length=200, blank=True, help_text="Host and process that builds it.")
    builder_until = models.DateTimeField(null=True, blank=True)

    objects = TrainingDatasetQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(state=DatasetState.SUCCEEDED) | (Q(row_count__isnull=False) & ~Q(content_hash="")),
                name="finished_dataset_has_its_content",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_finished(self) -> bool:
        return self.state not in OPEN_STATES

    @property
    def seconds(self) -> float | None:
        """How long the building took; None while it has not ended."""
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()

    def is_being_built(self, at: datetime) -> bool:
        """Whether a builder has said lately that it is at work."""
        return self.state == DatasetState.RUNNING and self.builder_until is not None and self.builder_until > at
