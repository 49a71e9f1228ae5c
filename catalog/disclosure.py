"""Whose values a reader sees in the clear: public and internal ones every reader's, others by role or grant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db.models import Q, QuerySet

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
    return {feature.pk for feature in hidden if not _is_granted(feature.group, user)}


def shows_rows_of(*, user: Reader, group: FeatureGroup, features: Sequence[Feature] | None = None) -> bool:
    """Whether ``user`` may see whole source rows of ``group``, which hold the values of all its features.

    ``features`` are all those of the group, where they are loaded already. The answer is kept on the group object,
    which lives as long as one request, and where several parts ask.
    """
    known: tuple[Reader, bool] | None = getattr(group, "_featurestore_rows_open", None)
    if known is None or known[0] is not user:
        known = (user, _shows_rows(user, group, features))
        group._featurestore_rows_open = known  # type: ignore[attr-defined]  # a cache on the request's own object
    return known[1]


def _shows_rows(user: Reader, group: FeatureGroup, features: Sequence[Feature] | None) -> bool:
    if features is None:
        return group.pk in groups_with_open_rows(user=user, groups=[group])
    if not may(user, Capability.READ_VALUES):
        return False
    is_hidden = group.sensitivity in SENSITIVE or any(one.sensitivity in SENSITIVE for one in features)
    return not is_hidden or may(user, Capability.READ_SENSITIVE) or _is_granted(group, user)


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
    return ids - (hidden - granted_groups(user)) if hidden else ids


def granted_groups(user: Reader) -> frozenset[int]:
    """The ids of the groups whose confidential and personal values a grant opens to ``user``, or to a role they have.

    The answer is kept on the user object, as :func:`catalog.access.capabilities_of` keeps its own.
    """
    known: frozenset[int] | None = getattr(user, "_featurestore_grants", None)
    if known is None:
        known = _granted_groups(user)
        user._featurestore_grants = known  # type: ignore[union-attr]  # a cache on the request's own object
    return known


def _granted_groups(user: Reader) -> frozenset[int]:
    return frozenset(grants_to(user).values_list("group_id", flat=True))


def grants_to(user: Reader) -> QuerySet[ValueGrant]:
    """The grants that open values to ``user``, or to a role they have, at this moment."""
    if not user.is_authenticated:
        return ValueGrant.objects.none()
    theirs = Q(user_id=user.pk) | Q(role__user=user.pk)
    unexpired = Q(expires_at__isnull=True) | Q(expires_at__gt=now())
    return ValueGrant.objects.filter(theirs, unexpired)


def remember_grant(group: FeatureGroup, *, user: Reader, is_granted: bool) -> None:
    """Keep on the group object, which lives as long as one request, what its own query told: whether
    :func:`grants_to` has a grant of it. What a page asks about this object's features then takes no query."""
    group._featurestore_granted = (user, is_granted)  # type: ignore[attr-defined]  # a cache on the request's own object


def _is_granted(group: FeatureGroup, user: Reader) -> bool:
    known: tuple[Reader, bool] | None = getattr(group, "_featurestore_granted", None)
    if known is None or known[0] is not user:
        return group.pk in granted_groups(user)
    return known[1]
