"""Rows that are about one feature or one feature group, never both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Q

from catalog.access import Capability, may
from catalog.models.fields import Status

if TYPE_CHECKING:
    from catalog.access import Reader
    from catalog.models.feature import Feature
    from catalog.models.group import FeatureGroup

ABOUT_ONE = Q(feature__isnull=False, group__isnull=True) | Q(feature__isnull=True, group__isnull=False)


class SubjectQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: Reader) -> Self:
        """Those about features and groups that ``user`` may know of."""
        if not may(user, Capability.SEE_METADATA):
            return self.none()
        if may(user, Capability.EDIT_CATALOG):
            return self
        archived = Q(group__status=Status.ARCHIVED) | Q(feature__status=Status.ARCHIVED)
        return self.exclude(archived | Q(feature__group__status=Status.ARCHIVED))

    def about(self, subject: Feature | FeatureGroup) -> Self:
        """Those about ``subject`` itself."""
        return self.filter(**subject_fields(subject))


def subject_fields(subject: Feature | FeatureGroup) -> dict[str, Any]:
    """``{"feature": subject}`` or ``{"group": subject}``, by what it is."""
    return {"group" if subject._meta.model_name == "featuregroup" else "feature": subject}
