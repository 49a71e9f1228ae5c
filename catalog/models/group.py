from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from django.db import models

from catalog.access import Capability, may
from catalog.models.entity import Entity
from catalog.models.fields import SENSITIVITIES, StampedField, Status, declared_field, name_validator
from catalog.models.search_change import Searched, SearchedQuerySet, tell_search
from catalog.models.tag import Tag

if TYPE_CHECKING:
    from catalog.access import Reader


class FeatureGroupQuerySet(SearchedQuerySet["FeatureGroup"]):
    def visible_to(self, user: Reader) -> FeatureGroupQuerySet:
        """The groups that ``user`` may know of."""
        if not may(user, Capability.SEE_METADATA):
            return self.none()
        return self if may(user, Capability.EDIT_CATALOG) else self.exclude(status=Status.ARCHIVED)

    def ingested(self) -> FeatureGroupQuerySet:
        """The groups that runs are made for."""
        return self.exclude(status=Status.ARCHIVED)


class FeatureGroup(Searched):
    """Features of one entity that are computed and ingested together, from one source."""

    name = models.CharField(max_length=100, unique=True, validators=[name_validator])
    entity = models.ForeignKey(Entity, on_delete=models.PROTECT, related_name="groups")
    description = models.TextField(blank=True)
    owner = models.CharField(max_length=200, blank=True, db_index=True)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.ACTIVE, db_index=True)
    sensitivity = models.CharField(max_length=20, choices=SENSITIVITIES, default="internal")
    source = models.CharField(max_length=100, help_text="Name of the declared source it is read from.")
    source_table = models.CharField(max_length=200)
    timestamp_column = models.CharField(
        max_length=200, blank=True, help_text="Column with the event timestamp; empty: the usual names are looked for."
    )
    created_column = models.CharField(
        max_length=200, blank=True, help_text="Column with the created timestamp; empty: the time of the run."
    )
    timezone = models.CharField(max_length=60, default="UTC", help_text="Zone of source timestamps that carry none.")
    key_map = models.JSONField(default=dict, blank=True, help_text="Join key → its column in the source.")
    row_rules = models.JSONField(default=list, blank=True, help_text="Row-level rules: name, expression, severity.")
    max_age = models.DurationField(null=True, blank=True, help_text="How old a value may be and still be used.")
    retention = models.DurationField(null=True, blank=True, help_text="How long history is kept.")
    freshness = models.DurationField(null=True, blank=True, help_text="How old the newest value may be.")
    schedule = models.CharField(max_length=100, blank=True, help_text="Cron line of its ingestion, UTC.")
    tags = models.ManyToManyField(Tag, blank=True, related_name="groups")
    declared = declared_field()
    created_by = models.CharField(max_length=200, blank=True)
    created_at = StampedField(auto_now_add=True)
    updated_at = StampedField(auto_now=True)

    objects = FeatureGroupQuerySet.as_manager()

    is_told_when_new = False

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def tell_search_of(cls, keys: Iterable[int]) -> None:
        """Its features are found by the name, owner and status of the group as well."""
        tell_search(groups=keys)
