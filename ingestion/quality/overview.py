"""All groups at once: their days, what is failing and late now, and the features that have drifted most."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import OuterRef, Subquery

from catalog.access import Reader
from catalog.models import FeatureGroup, FeatureVersion
from catalog.wording import gettext as _
from ingestion.models import IngestionRun, RuleResult, RunKind, RunState, ValidationReport
from ingestion.quality.days import Day, RunOfDay, days_of, last_days
from ingestion.report_access import ReportAccess, report_access

DAYS, GROUPS_SHOWN, LEAGUE, LEAGUE_HISTORY = 30, 10, 15, 30
DRIFT = "drift"
_TOP_CHECKS = 1000
_ENDED = (RunState.SUCCEEDED, RunState.FAILED)


@dataclass(frozen=True)
class GroupNow:
    """A group as it is now; ``reasons`` are empty where nothing is failing. ``age`` is that of its newest value."""

    group: FeatureGroup
    last_run: str
    last_state: str
    last_at: datetime | None
    report: int | None
    reasons: tuple[str, ...]
    newest: datetime | None
    age: timedelta | None

    @property
    def is_failing(self) -> bool:
        return bool(self.reasons)

    @property
    def is_late(self) -> bool:
        """Whether it breaks its promise of freshness."""
        return self.group.freshness is not None and self.age is not None and self.age > self.group.freshness

    @property
    def is_new(self) -> bool:
        """Whether it was never ingested."""
        return not self.last_state


@dataclass(frozen=True)
class Drifted:
    """A feature version and how far its values moved at most; ``at`` and ``run`` are of that check.

    ``history`` is the index of its newest checks, oldest first.
    """

    version: FeatureVersion
    measured: float
    threshold: float
    at: datetime
    run: str
    history: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """The drift as a multiple of its threshold; above 1 it is too much."""
        return self.measured / self.threshold if self.threshold else 0.0

    @property
    def times(self) -> str:
        """The ratio as text: 2.4×."""
        return f"{self.ratio:.1f}×" if self.ratio >= 0.05 else "0×"

    @property
    def is_beyond(self) -> bool:
        return self.measured > self.threshold


@dataclass(frozen=True)
class Counts:
    """How many groups are good, failing, late (perhaps failing too) and never ingested; and features that drifted."""

    good: int
    failing: int
    late: int
    never_ingested: int
    drifting: int


def counts_of(groups: Sequence[GroupNow], league: Sequence[Drifted]) -> Counts:
    """The tiles of the page; a group that was never ingested is not good, whatever else it is."""
    return Counts(
        good=sum(1 for one in groups if not one.is_failing and not one.is_late and not one.is_new),
        failing=sum(1 for one in groups if one.is_failing),
        late=sum(1 for one in groups if one.is_late),
        never_ingested=sum(1 for one in groups if one.is_new),
        drifting=sum(1 for one in league if one.is_beyond),
    )


def groups_now(*, user: Reader, at: datetime) -> list[GroupNow]:
    """Every group that ``user`` may see and that is ingested: failing ones first, then late ones, then by name."""
    runs = IngestionRun.objects.filter(group=OuterRef("pk"), kind=RunKind.INGEST, state__in=_ENDED)
    reports = ValidationReport.objects.filter(group=OuterRef("pk")).order_by("-created_at", "-id")
    newest = runs.order_by("-created_at", "-id")
    groups = list(
        FeatureGroup.objects.visible_to(user)
        .ingested()
        .select_related("materialized", "entity")
        .annotate(
            last_run=Subquery(newest.values("pk")[:1]),
            last_state=Subquery(newest.values("state")[:1]),
            last_at=Subquery(newest.values("finished_at")[:1]),
            newest_report=Subquery(reports.values("pk")[:1]),
        )
        .order_by("name")
    )
    short = ValidationReport.objects.filter(
        pk__in=[report for group in groups if (report := getattr(group, "newest_report", None))], passed=False
    )
    by_group = {report.group_id: report for report in short}
    access = report_access(user=user, groups=[group for group in groups if group.pk in by_group])
    found = [_group_now(group, by_group.get(group.pk), access, at) for group in groups]
    return sorted(found, key=lambda one: (not one.is_failing, not one.is_late, one.group.name))


def _group_now(group: Any, report: ValidationReport | None, access: ReportAccess, at: datetime) -> GroupNow:
    reasons = []
    if group.last_state == RunState.FAILED:
        reasons.append(_("the last ingestion failed"))
    # The report of a run that a rule of severity fail stopped names no shortfall.
    for one in access.shortfalls(report) if report is not None else ():
        feature, said = one.get("feature") or "", str(one.get("message") or one.get("rule") or _("fell short"))
        reasons.append(said if not feature or said.startswith(feature) else f"{feature}: {said}")
    table = getattr(group, "materialized", None)
    event = None if table is None else table.newest_event
    return GroupNow(
        group=group,
        last_run="" if group.last_run is None else str(group.last_run),
        last_state=group.last_state or "",
        last_at=group.last_at,
        report=group.newest_report,
        reasons=tuple(reasons),
        newest=event,
        age=None if event is None else at - event,
    )


def days_by_group(groups: Sequence[GroupNow], *, at: datetime, count: int = DAYS) -> dict[int, list[Day | None]]:
    """The last ``count`` days of each of ``groups``, by group id; two queries, however many ran."""
    days = last_days(at, count=count)
    ids = [one.group.pk for one in groups]
    since = datetime.combine(days[0], datetime.min.time(), tzinfo=at.tzinfo)
    passed: dict[Any, bool] = dict(
        ValidationReport.objects.filter(group__in=ids, created_at__gte=since, run__isnull=False)
        .order_by()
        .values_list("run", "passed")
    )
    ran = (
        IngestionRun.objects.filter(group__in=ids, created_at__gte=since)
        .exclude(state=RunState.CANCELLED)
        .order_by()
        .values_list("group", "pk", "created_at", "state", "kind")
    )
    by_group: dict[int, list[RunOfDay]] = defaultdict(list)
    for group, run, created, state, kind in ran:
        ingests = kind == RunKind.INGEST
        by_group[group].append(RunOfDay(id=str(run), at=created, state=state, passed=passed.get(run), ingests=ingests))
    return {one.group.pk: days_of(by_group[one.group.pk], days=days, late=one.is_late) for one in groups}


def drift_league(
    groups: Iterable[GroupNow], *, user: Reader, at: datetime, days: int = DAYS, most: int = LEAGUE
) -> list[Drifted]:
    """The features whose drift was the greatest multiple of its threshold in one of the checks of the last days."""
    since = at - timedelta(days=days)
    recent = RuleResult.objects.filter(rule=DRIFT, ratio__isnull=False, report__created_at__gte=since)
    # By the index of ratios, whose versions are looked at afterwards: many checks, and few of them at the top.
    top = dict.fromkeys(recent.order_by("-ratio").values_list("version", flat=True)[:_TOP_CHECKS])
    visible = FeatureVersion.objects.visible_to(user).filter(
        pk__in=list(top), feature__group__in=[one.group.pk for one in groups]
    )
    # Which of many may be seen is asked by their keys alone; only those that are shown are loaded.
    seen = set(visible.values_list("pk", flat=True))
    ids = [pk for pk in top if pk in seen][:most]
    versions = FeatureVersion.objects.select_related("feature__group", "feature__entity").in_bulk(ids)
    checks: dict[int, list[RuleResult]] = defaultdict(list)
    # A group that is checked every few minutes has more checks than a small line can show.
    # The rule is matched by its beginning, so that the few versions are found by their index, not all of the rule.
    found = RuleResult.objects.filter(
        version__in=ids, rule__startswith=DRIFT, measured__isnull=False, report__created_at__gte=since
    ).select_related("report")
    found = found.order_by("-report__created_at", "-pk")
    for result in found.defer("sample", "message", "report__shortfalls")[: most * LEAGUE_HISTORY * 4]:
        if result.version_id is not None:
            checks[result.version_id].append(result)
    drifted = [_drifted(versions[pk], checks[pk]) for pk in ids if checks[pk]]
    return sorted(drifted, key=lambda one: (-one.ratio, one.version.feature.name))


def _drifted(version: FeatureVersion, checks: Sequence[RuleResult]) -> Drifted:
    """``checks`` newest first; all of them were measured."""
    worst = max(checks, key=lambda one: one.ratio or 0.0)
    return Drifted(
        version=version,
        measured=worst.measured or 0.0,
        threshold=worst.threshold or 0.0,
        at=worst.report.created_at,
        run="" if worst.report.run_id is None else str(worst.report.run_id),
        history=tuple(one.measured or 0.0 for one in reversed(checks[:LEAGUE_HISTORY])),
    )
