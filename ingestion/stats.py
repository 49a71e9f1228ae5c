"""The numbers of the store for a reader: what it holds, how fresh, how much used, how good, how fast, how large."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Avg, Count, Q, Sum

from catalog.access import Reader
from catalog.clock import now
from catalog.models import Entity, Feature, FeatureGroup, FeatureService, FeatureVersion, Tag
from catalog.models.feature import FeatureQuerySet
from ingestion.group_status import GroupStatus, group_statuses
from ingestion.models import IngestionRun
from ingestion.status import database_bytes
from serving.access_log import ReadKind
from serving.models import FeatureUsage, LatencyBucket
from serving.usage import latency_percentiles

USAGE_DAYS = 30
LATENCY_HOURS = 24
_MOST_USED = 10
_SHARES = {0.5: "p50_ms", 0.95: "p95_ms", 0.99: "p99_ms"}


@dataclass(frozen=True)
class FeatureReads:
    feature: str
    feature_group: str
    online_reads: int
    historical_reads: int


@dataclass(frozen=True)
class Usage:
    """Successful reads that were counted so far in the last ``days`` days, today included."""

    days: int
    online_reads: int
    historical_reads: int
    features_read: int
    callers: int
    most_read: tuple[FeatureReads, ...]


@dataclass(frozen=True)
class Quality:
    """Means over the default versions that have statistics; shares from 0 to 1, None without any."""

    features_measured: int
    features_without_values: int
    completeness: float | None
    validity: float | None
    consistency: float | None


@dataclass(frozen=True)
class Latency:
    """Requests of one kind in the last hours; a percentile is the upper end of its bucket, None without requests."""

    kind: str
    requests: int
    failures: int
    percentiles: dict[str, float | None]


@dataclass(frozen=True)
class StoreStats:
    at: datetime
    totals: dict[str, int]
    groups: tuple[GroupStatus, ...]
    usage: Usage
    quality: Quality
    latency: tuple[Latency, ...]
    database_bytes: int | None


def store_stats(*, user: Reader) -> StoreStats:
    """The numbers over what ``user`` may know of. The number of queries does not grow with the store."""
    at = now()
    features = Feature.objects.visible_to(user)
    names = set(FeatureGroup.objects.visible_to(user).values_list("name", flat=True))
    groups = tuple(group for group in group_statuses(at=at) if group.name in names)
    return StoreStats(
        at=at,
        totals=_totals(user, groups),
        groups=groups,
        usage=_usage(features, at),
        quality=_quality(features),
        latency=tuple(_latency(kind, at) for kind in ReadKind),
        database_bytes=database_bytes(),
    )


def _totals(user: Reader, groups: Sequence[GroupStatus]) -> dict[str, int]:
    features = Feature.objects.visible_to(user)
    return {
        "entities": Entity.objects.count(),
        "groups": FeatureGroup.objects.visible_to(user).count(),
        "features": features.count(),
        "versions": FeatureVersion.objects.visible_to(user).count(),
        "services": FeatureService.objects.visible_to(user).count(),
        "tags": Tag.objects.filter(features__in=features).distinct().count(),
        "runs": IngestionRun.objects.visible_to(user).count(),
        "rows_online": sum(group.rows_online for group in groups),
        "rows_history": sum(group.rows_history for group in groups),
    }


def _usage(features: FeatureQuerySet, at: datetime) -> Usage:
    rows = FeatureUsage.objects.filter(feature__in=features, day__gt=at.date() - timedelta(days=USAGE_DAYS))
    sums = rows.aggregate(
        online=Sum("online_reads"),
        historical=Sum("historical_reads"),
        features=Count("feature", distinct=True),
        callers=Count("caller", distinct=True),
    )
    by_feature = rows.order_by().values("feature__name", "feature__group__name")
    summed = by_feature.annotate(online=Sum("online_reads"), historical=Sum("historical_reads"))
    ranked = sorted(summed, key=lambda row: (-(row["online"] + row["historical"]), row["feature__name"]))
    return Usage(
        days=USAGE_DAYS,
        online_reads=sums["online"] or 0,
        historical_reads=sums["historical"] or 0,
        features_read=sums["features"],
        callers=sums["callers"],
        most_read=tuple(
            FeatureReads(row["feature__name"], row["feature__group__name"], row["online"], row["historical"])
            for row in ranked[:_MOST_USED]
        ),
    )


def _quality(features: FeatureQuerySet) -> Quality:
    profile = "default_version__latest_profile"
    sums = features.aggregate(
        measured=Count(profile),
        without=Count("pk", filter=~Q(default_version__source_problem="") & Q(default_version__isnull=False)),
        completeness=Avg(f"{profile}__completeness"),
        validity=Avg(f"{profile}__validity"),
        consistency=Avg(f"{profile}__consistency"),
    )
    return Quality(
        features_measured=sums["measured"],
        features_without_values=sums["without"],
        completeness=sums["completeness"],
        validity=sums["validity"],
        consistency=sums["consistency"],
    )


def _latency(kind: ReadKind, at: datetime) -> Latency:
    since = at - timedelta(hours=LATENCY_HOURS)
    sums = LatencyBucket.objects.filter(kind=kind.value, hour__gte=since).aggregate(
        requests=Sum("requests"), failures=Sum("failures")
    )
    found = latency_percentiles(kind=kind.value, since=since, shares=tuple(_SHARES))
    return Latency(
        kind=kind.value,
        requests=sums["requests"] or 0,
        failures=sums["failures"] or 0,
        percentiles={name: found.get(share) for share, name in _SHARES.items()},
    )
