"""The trust lines of features: the facts are gathered here, :mod:`catalog.trust` judges them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from django.db.models import Q

from catalog.access import Reader
from catalog.clock import now
from catalog.describing import visible_replacements
from catalog.evidence import callers_of, checks_of
from catalog.models import (
    FeatureService,
    FeatureServiceMember,
    FeatureVersion,
    JournalEntry,
    LineageEdge,
    LineageNode,
    NodeKind,
    Status,
)
from catalog.quality_thresholds import thresholds
from catalog.trust import Checks, TrustFacts, Use, Verdict, judge


def trust_of(
    version: FeatureVersion, *, checks: Checks | None, use: Use, open_incidents: int, replaced_by: str = ""
) -> Verdict:
    """The verdict on one version, from what the caller has read already."""
    feature, profile = version.feature, version.latest_profile
    group = feature.group
    statuses = (feature.status, group.status, version.status)
    least = thresholds()
    short = []
    if profile is not None:
        measured = [(name, getattr(profile, name), limit) for name, limit in least.items()]
        short = [name for name, share, limit in measured if share is not None and limit is not None and share < limit]
    return judge(
        TrustFacts(
            at=now(),
            status=next((status for status in (Status.ARCHIVED, Status.DEPRECATED) if status in statuses), "active"),
            replaced_by=replaced_by,
            tier=feature.tier,
            owner=feature.effective_owner,
            source_problem=version.source_problem,
            newest_event=None if profile is None else profile.newest_event,
            promised=group.freshness,
            open_incidents=open_incidents,
            checks=checks,
            tolerated=0.0 if least["validity"] is None else 1 - least["validity"],
            shortfalls=tuple(short),
            use=use,
        )
    )


def trust_lines(versions: Sequence[FeatureVersion], *, user: Reader, with_use: bool = True) -> dict[int, Verdict]:
    """The verdict on each of ``versions`` as ``user`` may know it, by id of the version.

    Feature, group and latest profile of each must be loaded. The number of queries does not grow with the versions;
    ``with_use`` takes three of them, and who uses a feature never changes its verdict.
    """
    if not versions:
        return {}
    features = {version.feature_id for version in versions}
    checks = checks_of(versions)
    callers = callers_of(versions, user=user) if with_use else {}
    services = _services(features, user) if with_use else Counter()
    datasets = _datasets(features, user) if with_use else Counter()
    incidents = _incidents(versions, user)
    replaced_by = visible_replacements(user=user, features=[version.feature for version in versions])
    lines = {}
    for version in versions:
        feature = version.feature
        other = replaced_by.get(feature.pk)
        lines[version.pk] = trust_of(
            version,
            checks=checks.get(version.pk),
            use=Use(services[feature.pk], datasets[feature.pk], len(callers.get(feature.pk, ()))),
            open_incidents=incidents[feature.pk],
            replaced_by="" if other is None else other.name,
        )
    return lines


def _services(features: set[int], user: Reader) -> Counter[int]:
    pins = FeatureServiceMember.objects.filter(
        feature__in=features, service__in=FeatureService.objects.visible_to(user).exclude(status=Status.ARCHIVED)
    )
    return Counter(feature for feature, _ in set(pins.values_list("feature_id", "service_id")))


def _datasets(features: set[int], user: Reader) -> Counter[int]:
    made = LineageEdge.objects.filter(
        source__feature__in=features,
        target__kind=NodeKind.DATASET,
        target__in=LineageNode.objects.visible_to(user),
    )
    return Counter(feature for feature, _ in set(made.values_list("source__feature_id", "target_id")) if feature)


def _incidents(versions: Sequence[FeatureVersion], user: Reader) -> Counter[int]:
    features_of_group: dict[int, set[int]] = defaultdict(set)
    for version in versions:
        features_of_group[version.feature.group_id].add(version.feature_id)
    about = Q(feature__in=[version.feature_id for version in versions]) | Q(group__in=features_of_group)
    found = JournalEntry.objects.visible_to(user).open_incidents().filter(about)
    counted: Counter[int] = Counter()
    for feature, group in found.values_list("feature_id", "group_id"):
        counted.update([feature] if feature is not None else features_of_group[group])
    return counted
