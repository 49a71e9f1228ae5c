from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.db import models
from django.db.models import Q

from catalog.access import Capability, may
from catalog.models.feature import Feature
from catalog.models.fields import MASKS, VALUE_TYPES, FeatureValueField, StampedField, Status
from catalog.models.search_change import Searched, SearchedQuerySet

if TYPE_CHECKING:
    from catalog.access import Reader


class FeatureVersionQuerySet(SearchedQuerySet["FeatureVersion"]):
    def visible_to(self, user: Reader) -> FeatureVersionQuerySet:
        """The versions of the features that ``user`` may know of."""
        if not may(user, Capability.SEE_METADATA):
            return self.none()
        if may(user, Capability.EDIT_CATALOG):
            return self
        hidden = Q(feature__status=Status.ARCHIVED) | Q(feature__group__status=Status.ARCHIVED)
        return self.exclude(hidden | Q(status=Status.ARCHIVED))

    def ingested(self) -> FeatureVersionQuerySet:
        """The newest minor of each major that is not archived: one per value column."""
        return self.filter(is_current=True).exclude(Q(status=Status.ARCHIVED) | Q(feature__status=Status.ARCHIVED))


class FeatureVersion(Searched):
    """One definition of a feature, ``major.minor``.

    A major has its own value column; its minors are compatible definitions of that same column, of which the
    newest is current.
    """

    feature = models.ForeignKey(Feature, on_delete=models.PROTECT, related_name="versions")
    major = models.PositiveIntegerField()
    minor = models.PositiveIntegerField()
    is_current = models.BooleanField(default=True, help_text="The newest minor of its major: what is ingested.")
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.ACTIVE)
    data_type = models.CharField(max_length=20, choices=VALUE_TYPES)
    description = models.TextField(blank=True)
    source_column = models.CharField(max_length=200, blank=True)
    expression = models.TextField(blank=True, help_text="SQL expression over the columns of the source table.")
    validation = models.JSONField(default=dict, blank=True)
    categories = models.JSONField(null=True, blank=True)
    default_value = FeatureValueField(null=True, blank=True, help_text="Served where an entity has no value.")
    mask = models.CharField(max_length=20, choices=MASKS, blank=True)
    drift_threshold = models.FloatField(null=True, blank=True)
    inherited = models.JSONField(default=dict, blank=True, help_text="What the pipeline's reports say about it.")
    declared_number = models.CharField(
        max_length=20,
        blank=True,
        editable=False,
        help_text="The version that the configuration named when this was made; empty: made by hand.",
    )
    change_note = models.CharField(max_length=500, blank=True)
    source_problem = models.CharField(
        max_length=1000, blank=True, help_text="Why its source gives no values now; empty when it does."
    )
    latest_profile = models.ForeignKey(
        "FeatureProfile", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    created_by = models.CharField(max_length=200, blank=True)
    created_at = StampedField(auto_now_add=True)
    updated_at = StampedField(auto_now=True)

    objects = FeatureVersionQuerySet.as_manager()

    search_key = "feature_id"
    is_told_when_new = False  # a feature is found by its default version, which is set afterwards

    class Meta:
        ordering: ClassVar = ["feature_id", "-major", "-minor"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["feature", "major", "minor"], name="feature_version_once"),
            models.CheckConstraint(condition=Q(major__gte=0, minor__gte=0), name="feature_version_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.feature.name}@{self.number}"

    @property
    def number(self) -> str:
        return f"{self.major}.{self.minor}"

    @property
    def value_column(self) -> str:
        """The column that holds its values, online and offline."""
        return f"{self.feature.name}_v{self.major}"

    @property
    def public_id(self) -> str:
        """The feature id that people and programs see: ``{entity}_{name}_v{major}``."""
        return f"{self.feature.entity.name}_{self.feature.name}_v{self.major}"
