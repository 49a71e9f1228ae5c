"""How the rules of a feature went over its last validation reports, for its page and its trust line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import OuterRef, Subquery
from django.urls import reverse

from catalog.declarations import Severity
from catalog.drawings import Markup, Outcome, Point, Table, Threshold, line_chart, line_table, run_strip, strip_table
from catalog.models import FeatureGroup, FeatureVersion
from catalog.presentation import format_instant, format_number
from catalog.terms import word_of
from catalog.trust import Broken, Checks
from catalog.wording import gettext as _
from ingestion.models import RuleResult, ValidationReport
from ingestion.newest_report import newest_results_of

PLACES = 30
_MOST_RULES = 12
DRIFT = "drift"


@dataclass(frozen=True)
class RuleStrip:
    """One rule with its newest result, and its last thirty as a strip and as a table."""

    newest: RuleResult
    drawing: Markup
    table: Table


def history_of(version: FeatureVersion) -> list[RuleResult]:
    """The results of the rules of the version's value column, those of the newest report first. One query, kept on
    the version, which lives as long as one request; samples are left out."""
    known: list[RuleResult] | None = getattr(version, "_rule_history", None)
    if known is None:
        results = RuleResult.objects.filter(version__feature=version.feature_id, version__major=version.major)
        newest = results.select_related("report").defer("sample").order_by("-report__created_at", "-report_id", "rule")
        known = list(newest[: PLACES * _MOST_RULES])
        version._rule_history = known  # type: ignore[attr-defined]  # a cache on the request's own object
    return known


def newest_of(history: Sequence[RuleResult]) -> list[RuleResult]:
    """The results of the newest report, the broken ones first."""
    newest = [one for one in history if one.report_id == history[0].report_id]
    return sorted(newest, key=lambda one: (one.passed, -one.failed, one.rule))


def by_rule_of(history: Sequence[RuleResult]) -> list[tuple[RuleResult, list[RuleResult]]]:
    """Each rule of the newest report, the broken ones first: its result there, and its last thirty, newest first."""
    if not history:
        return []
    by_rule: dict[str, list[RuleResult]] = defaultdict(list)
    for one in history:
        by_rule[one.rule].append(one)
    return [(one, by_rule[one.rule][:PLACES]) for one in newest_of(history)]


def state_of(result: RuleResult) -> str:
    """``pass``, or the severity of the rule that was broken."""
    return "pass" if result.passed else result.severity


def strips_of(history: Sequence[RuleResult]) -> list[RuleStrip]:
    """A strip for each rule of the newest report."""
    return [_strip(one, results) for one, results in by_rule_of(history)]


def drift_chart(history: Sequence[RuleResult], *, name: str) -> tuple[Markup, Table] | None:
    """The stability index over time with its limit; None where drift was measured less than twice."""
    measured = [one for one in history if one.rule == DRIFT and one.measured is not None][::-1]
    if len(measured) < 2:
        return None
    points = [
        Point(
            at=one.report.created_at,
            value=one.measured,
            label=_("run"),
            href=None if one.passed else _run_href(one),
        )
        for one in measured
    ]
    limit = measured[-1].threshold
    thresholds = [] if limit is None else [Threshold(limit, _("limit"))]
    drawn = line_chart(
        points=points,
        thresholds=thresholds,
        title=_("Drift of %s") % name,
        description=_("Stability index over %(count)s runs, now %(index)s.")
        % {"count": len(points), "index": format_number(measured[-1].measured)},
    )
    return drawn, line_table(points=points, thresholds=thresholds)


def checks_of(versions: Sequence[FeatureVersion], group: FeatureGroup | None = None) -> Mapping[int, Checks]:
    """How each version stands to its rules in the newest report of its group. On the page of ``group`` the report is
    read as a whole, and of one version its whole history, because their pages show them too."""
    if group is not None:
        found = _by_version(versions, newest_results_of(group))
    elif len(versions) == 1:
        history = history_of(versions[0])
        found = {versions[0].pk: newest_of(history)} if history else {}
    else:
        found = _by_version(versions, _newest_of_many(versions))
    return {pk: _checks(results) for pk, results in found.items()}


def _newest_of_many(versions: Sequence[FeatureVersion]) -> Iterable[RuleResult]:
    of_group = ValidationReport.objects.filter(group=OuterRef("report__group")).order_by("-created_at", "-pk")
    results = RuleResult.objects.filter(
        version__feature__in={version.feature_id for version in versions},
        report=Subquery(of_group.values("pk")[:1]),
    ).select_related("report", "version")
    return results.defer("sample")


def _by_version(versions: Sequence[FeatureVersion], results: Iterable[RuleResult]) -> dict[int, list[RuleResult]]:
    by_column: dict[tuple[int, int], list[RuleResult]] = defaultdict(list)
    for one in results:
        if one.version is not None:
            by_column[one.version.feature_id, one.version.major].append(one)
    every = {version.pk: by_column.get((version.feature_id, version.major)) for version in versions}
    return {pk: found for pk, found in every.items() if found}


def _checks(results: Iterable[RuleResult]) -> Checks:
    every = list(results)
    rules = [one for one in every if one.rule != DRIFT]
    drift = next((one for one in every if one.rule == DRIFT), None)
    return Checks(
        at=every[0].report.created_at,
        rules=len(rules),
        broken=tuple(Broken(one.rule, one.severity, _share(one)) for one in rules if not one.passed),
        drift=None if drift is None else drift.measured,
        drift_limit=None if drift is None else drift.threshold,
    )


def _share(result: RuleResult) -> float:
    return result.failed / result.checked if result.checked else 1.0


def _strip(newest: RuleResult, results: Sequence[RuleResult]) -> RuleStrip:
    outcomes = [
        Outcome(
            state=state_of(one),
            label=_("%(instant)s: %(failed)s of %(checked)s rows break it")
            % {
                "instant": format_instant(one.report.created_at),
                "failed": f"{one.failed:,}",
                "checked": f"{one.checked:,}",
            },
            # Thirty links for each rule would stand in the way of who goes from link to link by the keyboard.
            href=_run_href(one) if not one.passed and one.severity != Severity.WARN else None,
        )
        for one in reversed(results)
    ]
    kept = sum(one.passed for one in results)
    drawn = run_strip(
        outcomes=outcomes,
        title=_("%(rule)s, the last %(count)s checks")
        % {"rule": word_of(newest.rule).replace("_", " "), "count": len(results)},
        description=_("Kept %(kept)s times of %(count)s; oldest first.") % {"kept": kept, "count": len(results)},
        height=20,
        places=PLACES,
    )
    return RuleStrip(newest=newest, drawing=drawn, table=strip_table(outcomes=outcomes))


def _run_href(result: RuleResult) -> str | None:
    run = result.report.run_id
    return None if run is None else reverse("ingestion:run", args=[run])
