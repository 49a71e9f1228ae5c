from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from catalog.access import Capability, may
from catalog.models.feature import Feature
from catalog.models.fields import StampedField

if TYPE_CHECKING:
    from catalog.access import Reader


class RequestState(models.TextChoices):
    OPEN = "open", _("open")
    FULFILLED = "fulfilled", _("fulfilled")
    DECLINED = "declined", _("declined")


class FeatureRequestQuerySet(models.QuerySet["FeatureRequest"]):
    def visible_to(self, user: Reader) -> FeatureRequestQuerySet:
        """Those of ``user``; all of them for who edits the catalog and so may answer."""
        if not may(user, Capability.SEE_METADATA) or not user.is_authenticated:
            return self.none()
        return self if may(user, Capability.EDIT_CATALOG) else self.filter(user_id=user.pk)

    def told_to(self, user: Reader) -> FeatureRequestQuerySet:
        """With who asked, and the feature that fulfils it if ``user`` may know of that; else it is None."""
        known = Feature.objects.visible_to(user).select_related("group")
        return self.select_related("user").prefetch_related(models.Prefetch("feature", known))


class FeatureRequest(models.Model):
    """A feature that somebody looked for and did not find, and what became of it."""

    wanted = models.CharField(max_length=200, help_text="What is looked for, in a few words.")
    reason = models.TextField(blank=True, help_text="What for, from which data, how fresh.")
    query = models.CharField(max_length=2000, blank=True, help_text="The search that found nothing.")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="feature_requests")
    created_at = StampedField(auto_now_add=True, db_index=True)
    state = models.CharField(max_length=20, choices=RequestState.choices, default=RequestState.OPEN, db_index=True)
    answer = models.TextField(blank=True)
    feature = models.ForeignKey(
        Feature,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="requests",
        help_text="The feature that fulfils it.",
    )
    answered_by = models.CharField(max_length=200, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)

    objects = FeatureRequestQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state="open", answered_at__isnull=True) | Q(~Q(state="open"), answered_at__isnull=False),
                name="request_answered_when_not_open",
            ),
        ]

    def __str__(self) -> str:
        return self.wanted
