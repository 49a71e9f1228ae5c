from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.db import models
from django.db.models import Q

from catalog.access import Capability, may
from catalog.declarations import Tier
from catalog.models.entity import Entity
from catalog.models.fields import SENSITIVITIES, TIERS, StampedField, Status, declared_field, name_validator
from catalog.models.group import FeatureGroup
from catalog.models.search_change import Searched, SearchedQuerySet
from catalog.models.tag import Tag

if TYPE_CHECKING:
    from catalog.access import Reader


class FeatureQuerySet(SearchedQuerySet["Feature"]):
    def visible_to(self, user: Reader) -> FeatureQuerySet:
        """The features that ``user`` may know of."""
        if not may(user, Capability.SEE_METADATA):
            return self.none()
        if may(user, Capability.EDIT_CATALOG):
            return self
        return self.exclude(Q(status=Status.ARCHIVED) | Q(group__status=Status.ARCHIVED))

    def with_details(self) -> FeatureQuerySet:
        """With all that a list or a page shows, in a number of queries that does not grow with the rows."""
        return self.select_related(
            "group", "entity", "default_version", "default_version__latest_profile"
        ).prefetch_related("tags")


class Feature(Searched):
    """A named column of a group; its name is unique per entity."""

    group = models.ForeignKey(FeatureGroup, on_delete=models.PROTECT, related_name="features")
    # The group's entity once more, so that the database itself holds the name unique per entity.
    entity = models.ForeignKey(Entity, on_delete=models.PROTECT, related_name="features", editable=False)
    name = models.CharField(max_length=100, validators=[name_validator])
    description = models.TextField(blank=True)
    owner = models.CharField(max_length=200, blank=True, db_index=True, help_text="Empty: the group's owner.")
    unit = models.CharField(max_length=60, blank=True)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.ACTIVE, db_index=True)
    status_reason = models.CharField(max_length=500, blank=True)
    replacement = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="replaces",
        help_text="What to use instead of it, where it is deprecated or archived.",
    )
    tier = models.CharField(
        max_length=20,
        choices=TIERS,
        default=Tier.STANDARD.value,
        db_index=True,
        help_text="How far it may be relied on.",
    )
    sensitivity = models.CharField(
        max_length=20, choices=SENSITIVITIES, blank=True, help_text="Empty: the group's sensitivity."
    )
    tags = models.ManyToManyField(Tag, blank=True, related_name="features")
    default_version = models.ForeignKey(
        "FeatureVersion", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    declared = declared_field()
    created_by = models.CharField(max_length=200, blank=True)
    created_at = StampedField(auto_now_add=True, db_index=True)
    updated_at = StampedField(auto_now=True)

    objects = FeatureQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["name", "entity_id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["entity", "name"], name="feature_name_once_per_entity"),
            models.CheckConstraint(
                condition=Q(replacement__isnull=True) | ~Q(status=Status.ACTIVE),
                name="replacement_of_what_is_not_active",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def effective_owner(self) -> str:
        return self.owner or self.group.owner

    @property
    def effective_sensitivity(self) -> str:
        return self.sensitivity or self.group.sensitivity
