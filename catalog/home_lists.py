"""The short lists of the home page: what is mine, what may be relied on, what is new, what should no longer be used.

The search index knows most of it without a query; who uses what is told by the app that records reads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from catalog.access import Reader
from catalog.cards import small_histogram
from catalog.clock import now
from catalog.contributions import load_contributions
from catalog.disclosure import closed_features
from catalog.drawings import Markup
from catalog.models import Feature, Follow
from catalog.search import Choice, Criteria, FoundFeatures, find_features, indexer

LENGTH = 5
UsedBy = Callable[[Reader], Sequence[int]]
_sources: list[UsedBy] = []


def register_used_by(source: UsedBy) -> None:
    """Let ``source`` tell which features (ids) a person has read of late, the latest first."""
    if source not in _sources:
        _sources.append(source)


@dataclass(frozen=True)
class ShortRow:
    feature: Feature
    drawing: Markup | None
    reads: int
    is_late: bool


@dataclass(frozen=True)
class ShortList:
    """``reason`` says why it is empty; ``query`` is the search that shows all of it."""

    key: str
    title: str | Promise
    reason: str | Promise
    rows: tuple[ShortRow, ...]
    query: str = ""


def lists_for(user: Reader, *, every: FoundFeatures) -> list[ShortList]:
    """All lists of the home page, of the moment of ``every`` feature.

    Follows, uses and the features themselves take one query each.
    """
    name = user.get_username() if user.is_authenticated else ""
    load_contributions()
    popularity = indexer.popularity()
    newest = find_features(user=user, criteria=Criteria(ordering=("-created_at",)), beside=every)
    certified = _ids(user, every, "tier", "certified", "-reads")
    deprecated = _ids(user, every, "status", "deprecated", "-reads")
    ids: dict[str, list[int]] = {
        "owned": _ids(user, every, "owner", name, "-reads") if name else [],
        "followed": _followed(user),
        "used": [pk for source in _sources for pk in source(user)] if name else [],
        "certified": certified,
        "rising": popularity.rising(LENGTH * 2),
        "new": newest.ids[:LENGTH].tolist(),
        "deprecated": [pk for pk, reads in zip(deprecated, popularity.of_each(deprecated), strict=True) if reads],
    }
    rows = _rows({pk for some in ids.values() for pk in some[: LENGTH * 2]}, user)
    told = []
    if name and not any(rows.keys() & set(ids[key]) for key in _OWN):
        told.append(ShortList("own", _("For you"), _NOTHING_OWN, ()))
    for key, title, reason, query in _LISTS:
        if key in _OWN and not rows.keys() & set(ids[key]):
            continue
        shown = tuple(rows[pk] for pk in ids[key] if pk in rows)[:LENGTH]
        told.append(ShortList(key, title, reason, shown, query.replace("{name}", name)))
    return told


_NOTHING_OWN = _("What you own, follow or have read in the last 30 days will be here.")
_OWN = frozenset({"owned", "followed", "used"})
_LISTS = (
    ("owned", _("Owned by you"), _("No feature names you as its owner."), "owner={name}&ordering=-reads"),
    ("followed", _("Followed"), _("Follow a feature on its page, and it stays in sight here."), ""),
    ("used", _("Used by you"), _("No read under your name in the last 30 days."), ""),
    ("certified", _("Certified"), _("No steward has certified a feature yet."), "tier=certified&ordering=-reads"),
    ("rising", _("Rising"), _("No feature is read more than the week before."), "ordering=-reads"),
    ("new", _("New"), _("There is no feature yet."), "ordering=-created_at"),
    ("deprecated", _("Deprecated, yet used"), _("Nothing that is deprecated is still read."), "status=deprecated"),
)


def _ids(user: Reader, every: FoundFeatures, parameter: str, value: str, ordering: str) -> list[int]:
    criteria = Criteria(restrictions=(Choice(parameter, (value,)),), ordering=(ordering,))
    ids: list[int] = find_features(user=user, criteria=criteria, beside=every).ids[: LENGTH * 2].tolist()
    return ids


def _followed(user: Reader) -> list[int]:
    if not user.is_authenticated:
        return []
    follows = Follow.objects.visible_to(user).filter(user_id=user.pk, feature__isnull=False)
    return list(follows.values_list("feature_id", flat=True)[: LENGTH * 2])


def _rows(ids: set[int], user: Reader) -> dict[int, ShortRow]:
    details = ("group", "default_version", "default_version__latest_profile")
    features = list(Feature.objects.visible_to(user).select_related(*details).filter(pk__in=ids))
    closed = closed_features(user=user, features=features)
    reads = dict(
        zip((one.pk for one in features), indexer.popularity().of_each([one.pk for one in features]), strict=True)
    )
    at = now()
    rows = {}
    for feature in features:
        profile = feature.default_version.latest_profile if feature.default_version else None
        newest, promise = profile.newest_event if profile else None, feature.group.freshness
        rows[feature.pk] = ShortRow(
            feature=feature,
            drawing=None if profile is None or feature.pk in closed else small_histogram(profile, name=feature.name),
            reads=reads[feature.pk],
            is_late=bool(newest and promise and at - newest > promise),
        )
    return rows
