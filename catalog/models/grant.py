from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import Q

from catalog.models.fields import StampedField
from catalog.models.group import FeatureGroup


class ValueGrant(models.Model):
    """Lets one user, or one role, read the confidential and personal values of a feature group unmasked."""

    group = models.ForeignKey(FeatureGroup, on_delete=models.CASCADE, related_name="grants")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="value_grants"
    )
    role = models.ForeignKey(Group, null=True, blank=True, on_delete=models.CASCADE, related_name="value_grants")
    reason = models.CharField(max_length=500, blank=True)
    created_by = models.CharField(max_length=200, blank=True)
    created_at = StampedField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["group_id", "id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(user__isnull=False, role__isnull=True) | Q(user__isnull=True, role__isnull=False),
                name="grant_to_a_user_or_a_role",
            ),
            models.UniqueConstraint(fields=["group", "user"], name="grant_once_per_user"),
            models.UniqueConstraint(fields=["group", "role"], name="grant_once_per_role"),
        ]

    def __str__(self) -> str:
        return f"{self.group} → {self.user or self.role}"
