from __future__ import annotations

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from catalog.access import Capability, may
from catalog.models import FeatureGroup

if TYPE_CHECKING:
    from catalog.access import Reader


class RunKind(models.TextChoices):
    INGEST = "ingest", _("ingestion")
    VALIDATE = "validate", _("validation")


class RunState(models.TextChoices):
    QUEUED = "queued", _("queued")
    RUNNING = "running", _("running")
    SUCCEEDED = "succeeded", _("succeeded")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")


class RunStep(models.TextChoices):
    WAIT = "wait", _("waiting")
    EXTRACT = "extract", _("reading the source")
    VALIDATE = "validate", _("checking rows")
    APPEND = "append", _("appending to history")
    MATERIALIZE = "materialize", _("carrying into the online store")
    PROFILE = "profile", _("computing statistics")
    DONE = "done", _("done")


OPEN_STATES = (RunState.QUEUED, RunState.RUNNING)


class IngestionRunQuerySet(models.QuerySet["IngestionRun"]):
    def visible_to(self, user: Reader) -> IngestionRunQuerySet:
        """The runs of the groups that ``user`` may know of."""
        if may(user, Capability.EDIT_CATALOG):
            return self
        return self.filter(group__in=FeatureGroup.objects.visible_to(user))

    def unfinished(self) -> IngestionRunQuerySet:
        return self.filter(state__in=OPEN_STATES)


class IngestionRun(models.Model):
    """One ingestion (or validation) of one group, with its counts, state and log.

    This row is the truth about the run; messages only wake a worker to look at it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    group = models.ForeignKey(FeatureGroup, on_delete=models.CASCADE, related_name="runs")
    kind = models.CharField(max_length=20, choices=RunKind.choices, default=RunKind.INGEST)
    state = models.CharField(max_length=20, choices=RunState.choices, default=RunState.QUEUED, db_index=True)
    step = models.CharField(max_length=20, choices=RunStep.choices, default=RunStep.WAIT)
    progress = models.FloatField(default=0.0, help_text="Share of the present step that is done, 0 to 1.")
    trigger = models.CharField(max_length=20, default="manual")
    requested_by = models.CharField(max_length=200, blank=True)
    requested_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(db_index=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    rows_read = models.BigIntegerField(default=0)
    rows_unchanged = models.BigIntegerField(default=0)
    rows_superseded = models.BigIntegerField(default=0, help_text="Older of several rows with the same key and times.")
    rows_flagged = models.BigIntegerField(default=0)
    rows_rejected = models.BigIntegerField(default=0)
    rows_appended = models.BigIntegerField(default=0)
    rows_online = models.BigIntegerField(default=0, help_text="Online rows that the run changed or added.")
    table_version = models.BigIntegerField(null=True, blank=True)
    problems = models.JSONField(default=list, blank=True, help_text="[{code, message, feature, rule}]")
    error = models.TextField(blank=True)
    log = models.TextField(blank=True)

    objects = IngestionRunQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]
        indexes: ClassVar = [models.Index(fields=["group", "-created_at"], name="runs_of_group")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state__in=OPEN_STATES) | Q(finished_at__isnull=False), name="finished_run_has_its_end"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.group.name} {self.created_at:%Y-%m-%d %H:%M:%S}"

    @property
    def is_finished(self) -> bool:
        return self.state not in OPEN_STATES

    @property
    def seconds(self) -> float | None:
        """How long it took; None while it has not ended."""
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()


class GroupLease(models.Model):
    """The right to write a group: held by one run at a time, until ``expires_at`` unless renewed.

    ``epoch`` grows with every taking; a holder whose epoch is no longer the stored one has lost the right.
    """

    group = models.OneToOneField(FeatureGroup, on_delete=models.CASCADE, related_name="lease")
    epoch = models.BigIntegerField(default=0)
    holder = models.UUIDField(null=True, blank=True)
    process = models.CharField(max_length=200, blank=True, help_text="Host and process of the holder.")
    expires_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.group.name} epoch {self.epoch}"

    def is_held(self, at: datetime) -> bool:
        return self.holder is not None and self.expires_at is not None and self.expires_at > at
