"""What a list of features tells of reads, and by how much search lets them break ties."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import F, Max, Q, QuerySet, Sum
from django.http import HttpRequest

from catalog.access import Reader
from catalog.cards import CardFacts
from catalog.clock import now
from catalog.models import Feature, FeatureGroup
from catalog.search.popularity import ReadCount
from serving.models import FeatureUsage, MaterializedTable

DAYS, MOST_USED = 30, 10


def reads_of_features() -> dict[int, ReadCount]:
    """Reads of every feature, online and historical, by its id. One query."""
    today = now().date()
    reads = F("online_reads") + F("historical_reads")
    week, before = today - timedelta(days=6), today - timedelta(days=13)
    rows = FeatureUsage.objects.filter(day__gt=today - timedelta(days=DAYS)).order_by().values_list("feature_id")
    counted = rows.annotate(
        total=Sum(reads),
        week=Sum(reads, filter=Q(day__gte=week), default=0),
        week_before=Sum(reads, filter=Q(day__gte=before, day__lt=week), default=0),
    )
    return {pk: ReadCount(total, of_week, of_week_before) for pk, total, of_week, of_week_before in counted}


def used_by(user: Reader) -> list[int]:
    """The features that ``user`` has read in the last 30 days, the latest and then the most read first. One query."""
    since = now().date() - timedelta(days=DAYS)
    own = FeatureUsage.objects.filter(caller=user.get_username(), day__gt=since).order_by().values_list("feature_id")
    last = own.annotate(last=Max("day"), reads=Sum(F("online_reads") + F("historical_reads")))
    return [pk for pk, _, _ in last.order_by("-last", "-reads", "feature_id")[:MOST_USED]]


def reads_by_day(user: Reader) -> list[tuple[date, int]]:
    """All reads of features that ``user`` may know of, for each of the last 30 days, the oldest first. One query."""
    today = now().date()
    days = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    visible = Feature.objects.visible_to(user)
    rows = FeatureUsage.objects.filter(day__gte=days[0], feature__in=visible).order_by().values_list("day")
    counted = dict(rows.annotate(reads=Sum(F("online_reads") + F("historical_reads"))))
    return [(day, counted.get(day, 0)) for day in days]


@dataclass(frozen=True)
class StoredRows:
    online_rows: int
    history_rows: int


def stored_rows(user: Reader) -> StoredRows:
    """How many rows are stored of the groups that ``user`` may know of. One query."""
    stored = MaterializedTable.objects.filter(group__in=FeatureGroup.objects.visible_to(user))
    counted = stored.aggregate(online_rows=Sum("online_rows", default=0), history_rows=Sum("history_rows", default=0))
    return StoredRows(**counted)


def card_facts(request: HttpRequest, features: Sequence[Feature]) -> dict[int, CardFacts]:  # noqa: ARG001
    """Reads of the last 30 days; none counted is 0."""
    ids = [feature.pk for feature in features]
    reads = _summed(FeatureUsage.objects.filter(feature__in=ids))
    return {pk: CardFacts(reads=reads.get(pk, 0)) for pk in ids}


def _summed(usage: QuerySet[FeatureUsage]) -> dict[int, int]:
    since = (now() - timedelta(days=DAYS)).date()
    recent = usage.filter(day__gte=since).order_by().values_list("feature_id")
    return dict(recent.annotate(reads=Sum(F("online_reads") + F("historical_reads"))))
