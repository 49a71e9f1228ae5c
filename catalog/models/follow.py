from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from catalog.models.feature import Feature
from catalog.models.fields import StampedField
from catalog.models.group import FeatureGroup
from catalog.models.subject import ABOUT_ONE, SubjectQuerySet


class Follow(models.Model):
    """A person who wants to be told of what happens to a feature, or to all features of a group."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="follows")
    feature = models.ForeignKey(Feature, null=True, blank=True, on_delete=models.CASCADE, related_name="follows")
    group = models.ForeignKey(FeatureGroup, null=True, blank=True, on_delete=models.CASCADE, related_name="follows")
    created_at = StampedField(auto_now_add=True)

    objects = SubjectQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=ABOUT_ONE, name="follow_of_a_feature_or_a_group"),
            models.UniqueConstraint(fields=["user", "feature"], name="follow_of_feature_once"),
            models.UniqueConstraint(fields=["user", "group"], name="follow_of_group_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user} follows {self.feature or self.group}"
