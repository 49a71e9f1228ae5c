from __future__ import annotations

from typing import ClassVar

from django.db import models

from catalog.models import FeatureGroup
from serving.models.fields import DocumentField, EntityKeyField, InstantField


class FeatureValue(models.Model):
    """The online store's row: the newest known values of one entity in one group, keyed by value column."""

    # The constraint below begins with it: an index of its own would only make every write slower.
    group = models.ForeignKey(FeatureGroup, on_delete=models.CASCADE, related_name="online_rows", db_index=False)
    entity_key = EntityKeyField()
    values = DocumentField()
    event_timestamp = InstantField()
    created_timestamp = InstantField()
    arrival = models.BigIntegerField(default=0)
    run_id = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["group", "entity_key"], name="online_row_once")]

    def __str__(self) -> str:
        return f"{self.group.name} {self.entity_key}"


class OnlineRevision(models.Model):
    """Which state the online rows of a group are in, for whoever keeps what was made of them.

    Every transaction that writes rows of the group sets another number, drawn by lot: one that is taken back, a group
    that takes the id of a deleted one and a database that is restored have numbers that nobody has seen.
    """

    group = models.OneToOneField(
        FeatureGroup, on_delete=models.CASCADE, primary_key=True, related_name="online_revision"
    )
    revision = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.group.name} in state {self.revision}"


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
    is_partly_renewed = models.BooleanField(
        default=False, help_text="Rows are made anew in several transactions, and not all of them are yet."
    )
    online_revision = models.BigIntegerField(
        null=True,
        blank=True,
        help_text="Revision of the rows in an online store outside of the database; none for rows in it.",
    )
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.group.name} at version {self.table_version}"
