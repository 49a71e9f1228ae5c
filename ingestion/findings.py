"""What a run found, kept in the database. All but the quarantine runs within the caller's transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice

from django.db import transaction

from catalog.clock import now
from catalog.models import FeatureGroup, FeatureVersion
from ingestion.assessment import Assessment, monitored_thresholds
from ingestion.checks import CheckOutcome, RuleOutcome
from ingestion.extraction import row_digest
from ingestion.models import IngestionRun, QuarantinedRow, RuleResult, ValidationReport
from ingestion.profiles import store_profiles
from ingestion.source_rows import RejectedRow

_CHUNK = 500


def store_report(
    *,
    run: IngestionRun,
    group: FeatureGroup,
    results: Sequence[RuleOutcome],
    assessment: Assessment | None,
    versions: Sequence[FeatureVersion],
    passed: bool,
) -> ValidationReport:
    """The run's validation report with one result per rule; storing it again replaces it."""
    ValidationReport.objects.filter(run=run).delete()
    by_column = {version.value_column: version for version in versions}
    report = ValidationReport.objects.create(
        run=run,
        group=group,
        created_at=now(),
        passed=passed,
        row_count=0 if assessment is None else assessment.row_count,
        completeness=None if assessment is None else assessment.mean_of("completeness"),
        validity=None if assessment is None else assessment.mean_of("validity"),
        consistency=None if assessment is None else assessment.mean_of("consistency"),
        thresholds=_thresholds(),
        shortfalls=[] if assessment is None else [shortfall.as_json() for shortfall in assessment.shortfalls],
    )
    RuleResult.objects.bulk_create(
        [
            RuleResult(
                report=report,
                version=by_column.get(result.value_column or ""),
                rule=result.rule,
                severity=result.severity.value,
                passed=result.passed,
                checked=result.checked,
                failed=result.failed,
                message=result.message[:500],
                sample=list(result.sample),
                measured=result.measured,
                threshold=result.threshold,
                ratio=result.ratio,
            )
            for result in results
        ]
    )
    return report


def _thresholds() -> dict[str, float]:
    wanted = monitored_thresholds()
    if wanted is None:
        return {}
    return {
        "completeness_min": wanted.completeness_min,
        "validity_min": wanted.validity_min,
        "consistency_min": wanted.consistency_min,
    }


def store_assessment(
    *, group: FeatureGroup, assessment: Assessment, run: IngestionRun, table_version: int | None
) -> None:
    """The statistics of the group's columns, as of this run."""
    store_profiles(
        group=group,
        profiles=assessment.profiles,
        run_id=str(run.pk),
        table_version=table_version,
        computed_at=now(),
    )


def store_source_problems(*, versions: Sequence[FeatureVersion], problems: Mapping[str, str]) -> None:
    """Say at each version why its source gives no values; clear what is no longer so."""
    for version in versions:
        text = problems.get(version.value_column, "")[:1000]
        if version.source_problem != text:
            FeatureVersion.objects.filter(pk=version.pk).update(source_problem=text)
            version.source_problem = text


def missing_columns(versions: Sequence[FeatureVersion], problems: Mapping[str, str]) -> list[dict[str, str | None]]:
    """The problems of a run: declared columns that the source does not give."""
    return [
        {
            "code": "no_values",
            "feature": version.feature.name,
            "rule": None,
            "message": problems[version.value_column],
        }
        for version in versions
        if version.value_column in problems
    ]


def broken_rules(outcome: CheckOutcome) -> list[dict[str, str | None]]:
    """The problems of a run: rules that rows broke, with what was done to these."""
    deeds = {"warn": "kept and flagged", "reject": "quarantined", "fail": "the run failed"}
    return [
        {
            "code": "rule_broken",
            "feature": result.feature,
            "rule": result.rule,
            "message": f"{result.message}; {deeds[result.severity.value]}",
        }
        for result in outcome.results
        if not result.passed
    ]


def store_quarantine(*, run: IngestionRun, rejected: Iterable[RejectedRow], hold: Callable[[], object]) -> int:
    """Keep the rejected rows, each once however often it is met; returns how many were met now.

    There may be as many as the source has rows, so they are written in short transactions of their own, between
    which others write too; ``hold`` is called in each. Storing them again changes nothing.
    """
    rows = iter(rejected)
    count = 0
    while chunk := {row_digest(row.row): row for row in islice(rows, _CHUNK)}:
        count += len(chunk)
        with transaction.atomic():
            hold()
            _store_quarantined(run, chunk)
    return count


def _store_quarantined(run: IngestionRun, chunk: Mapping[str, RejectedRow]) -> None:
    of_group = QuarantinedRow.objects.filter(group=run.group)
    known = dict(of_group.filter(row_hash__in=list(chunk)).values_list("row_hash", "reasons"))
    at = now()
    # Most rows are met again for the reasons of before, and those are one statement.
    of_group.filter(row_hash__in=list(known)).update(last_run=run, last_seen=at)
    for digest, reasons in known.items():
        if reasons != list(chunk[digest].reasons):
            of_group.filter(row_hash=digest).update(reasons=list(chunk[digest].reasons))
    QuarantinedRow.objects.bulk_create(
        [
            QuarantinedRow(
                group=run.group,
                row_hash=digest,
                entity_key=row.entity_key,
                event_timestamp=row.event_timestamp[:64],
                row=row.row,
                reasons=list(row.reasons),
                first_run=run,
                last_run=run,
                first_seen=at,
                last_seen=at,
            )
            for digest, row in chunk.items()
            if digest not in known
        ]
    )
