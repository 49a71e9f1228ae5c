from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from catalog.access import Capability, may
from catalog.models.fields import StampedField

if TYPE_CHECKING:
    from catalog.access import Reader


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    def visible_to(self, user: Reader) -> SavedViewQuerySet:
        """The shared views, and those of ``user``."""
        if not may(user, Capability.SEE_METADATA):
            return self.none()
        return self.filter(Q(is_shared=True) | Q(user_id=user.pk) if user.is_authenticated else Q(is_shared=True))


class SavedView(models.Model):
    """A search that somebody keeps under a name: its parameters, and who may open it."""

    slug = models.SlugField(max_length=60, unique=True, help_text="The name in addresses: /search?view=…")
    name = models.CharField(max_length=100)
    query = models.CharField(max_length=2000, blank=True, help_text="The parameters of the search, as in its address.")
    is_shared = models.BooleanField(default=False, help_text="Whether others may open it; else only who made it.")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views")
    created_at = StampedField(auto_now_add=True)
    updated_at = StampedField(auto_now=True)

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["name", "id"]

    def __str__(self) -> str:
        return self.name
