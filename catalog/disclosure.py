"""Whose values a reader sees in the clear: public and internal ones every reader's, others by role or grant."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q

from catalog.access import Capability, Reader, may
from catalog.clock import now
from catalog.declarations import Sensitivity
from catalog.models import Feature, FeatureGroup, ValueGrant

SENSITIVE = frozenset({Sensitivity.CONFIDENTIAL.value, Sensitivity.PERSONAL.value})


def closed_features(*, user: Reader, features: Iterable[Feature]) -> set[int]:
    """The ids of those ``features`` (with their groups) whose values ``user`` may not see. One query at most."""
    every = list(features)
    if not may(user, Capability.READ_VALUES):
        return {feature.pk for feature in every}
    hidden = [feature for feature in every if feature.effective_sensitivity in SENSITIVE]
    if not hidden or may(user, Capability.READ_SENSITIVE):
        return set()
    granted = _granted_groups(user, {feature.group_id for feature in hidden})
    return {feature.pk for feature in hidden if feature.group_id not in granted}


def shows_rows_of(*, user: Reader, group: FeatureGroup) -> bool:
    """Whether ``user`` may see whole source rows of ``group``, which hold the values of all its features."""
    return group.pk in groups_with_open_rows(user=user, groups=[group])


def groups_with_open_rows(*, user: Reader, groups: Iterable[FeatureGroup]) -> set[int]:
    """The ids of those ``groups`` of which ``user`` may see whole source rows. Two queries at most."""
    every = list(groups)
    if not may(user, Capability.READ_VALUES):
        return set()
    ids = {group.pk for group in every}
    if may(user, Capability.READ_SENSITIVE):
        return ids
    hidden = {group.pk for group in every if group.sensitivity in SENSITIVE}
    of_features = Feature.objects.filter(group__in=ids - hidden, sensitivity__in=SENSITIVE)
    hidden |= set(of_features.values_list("group_id", flat=True))
    return ids - (hidden - _granted_groups(user, hidden)) if hidden else ids


def _granted_groups(user: Reader, groups: set[int]) -> set[int]:
    if not user.is_authenticated:
        return set()
    theirs = Q(user_id=user.pk) | Q(role__user=user.pk)
    unexpired = Q(expires_at__isnull=True) | Q(expires_at__gt=now())
    return set(ValueGrant.objects.filter(theirs, unexpired, group__in=groups).values_list("group_id", flat=True))
