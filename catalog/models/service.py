from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.db import models

from catalog.access import Capability, may
from catalog.models.feature import Feature
from catalog.models.fields import StampedField, Status, declared_field, name_validator
from catalog.models.version import FeatureVersion

if TYPE_CHECKING:
    from catalog.access import Reader


class FeatureServiceQuerySet(models.QuerySet["FeatureService"]):
    def visible_to(self, user: Reader) -> FeatureServiceQuerySet:
        """The services that ``user`` may know of."""
        return self if may(user, Capability.SEE_METADATA) else self.none()


class FeatureService(models.Model):
    """A named, pinned set of feature versions that one model uses."""

    name = models.CharField(max_length=100, unique=True, validators=[name_validator])
    description = models.TextField(blank=True)
    owner = models.CharField(max_length=200, blank=True)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.ACTIVE)
    versions = models.ManyToManyField(FeatureVersion, through="FeatureServiceMember", related_name="services")
    declared = declared_field()
    created_by = models.CharField(max_length=200, blank=True)
    created_at = StampedField(auto_now_add=True)
    updated_at = StampedField(auto_now=True)

    objects = FeatureServiceQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class FeatureServiceMember(models.Model):
    """One pinned version within a service, in the service's order."""

    service = models.ForeignKey(FeatureService, on_delete=models.CASCADE, related_name="members")
    # The version's feature and major once more, so that the database holds that a value column appears once.
    feature = models.ForeignKey(Feature, on_delete=models.PROTECT, related_name="+", editable=False)
    major = models.PositiveIntegerField(editable=False)
    version = models.ForeignKey(FeatureVersion, on_delete=models.PROTECT, related_name="memberships")
    position = models.PositiveIntegerField()

    class Meta:
        ordering: ClassVar = ["service_id", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["service", "feature", "major"], name="service_column_once"),
        ]

    def __str__(self) -> str:
        return f"{self.service}: {self.version}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.feature_id = self.version.feature_id
        self.major = self.version.major
        super().save(*args, **kwargs)
