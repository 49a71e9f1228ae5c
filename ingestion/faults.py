"""What is wrong with a group as of a run, and which of it is new."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from django.db.models import QuerySet

from ingestion.models import IngestionRun, RuleResult, RunKind, RunState, ValidationReport

_FAILED, _QUALITY, _DRIFT, _NO_VALUES = "run_failed", "quality", "drift", "no_values"


@dataclass(frozen=True)
class Fault:
    """``code`` is run_failed, quality, drift or no_values; ``feature`` and ``rule`` are empty where none is meant."""

    code: str
    feature: str
    rule: str
    message: str

    @property
    def identity(self) -> tuple[str, str, str]:
        """What stays the same while the fault lasts; the figures in its message need not."""
        return self.code, self.feature, self.rule


def faults_of(run: IngestionRun) -> list[Fault]:
    """What an ended run found wrong with its group."""
    return [*_failure(run), *_from_report(run), *_without_values(run)]


def new_faults(run: IngestionRun) -> list[Fault]:
    """Those of :func:`faults_of` that the runs before did not find already.

    A fault is compared with the last earlier run that could have found it: a failure with any run of that kind,
    quality and drift with any run that succeeded, a missing column with an ingestion that succeeded.
    """
    if run.finished_at is None:
        return []
    earlier = IngestionRun.objects.filter(group=run.group, finished_at__lt=run.finished_at).exclude(pk=run.pk)
    succeeded = earlier.filter(state=RunState.SUCCEEDED)
    of_kind = _last(earlier.filter(kind=run.kind, state__in=[RunState.SUCCEEDED, RunState.FAILED]))
    assessed = _last(succeeded.filter(validation_report__isnull=False))
    ingested = _last(succeeded.filter(kind=RunKind.INGEST))
    known = {
        *(fault.identity for fault in (_failure(of_kind) if of_kind else ())),
        *(fault.identity for fault in (_from_report(assessed) if assessed else ())),
        *(fault.identity for fault in (_without_values(ingested) if ingested else ())),
    }
    return [fault for fault in faults_of(run) if fault.identity not in known]


def _last(runs: QuerySet[IngestionRun]) -> IngestionRun | None:
    return runs.order_by("-finished_at").first()


def _failure(run: IngestionRun) -> Iterator[Fault]:
    if run.state == RunState.FAILED:
        yield Fault(_FAILED, "", "", f"the {run.get_kind_display()} failed: {run.error or 'its log says more'}")


def _from_report(run: IngestionRun) -> Iterator[Fault]:
    report = ValidationReport.objects.filter(run=run).first()
    if report is None:
        return
    for shortfall in report.shortfalls:
        feature, rule = shortfall.get("feature") or "", shortfall.get("rule") or ""
        yield Fault(_QUALITY, feature, rule, shortfall.get("message") or f"{feature}: {rule} fell short")
    drifted = RuleResult.objects.filter(report=report, rule=_DRIFT, passed=False)
    for result in drifted.select_related("version__feature"):
        feature = "" if result.version is None else result.version.feature.name
        yield Fault(_DRIFT, feature, _DRIFT, result.message)


def _without_values(run: IngestionRun) -> Iterator[Fault]:
    for problem in run.problems:
        if problem.get("code") == _NO_VALUES:
            found = Fault(_NO_VALUES, problem.get("feature") or "", "", problem.get("message") or "")
            yield replace(found, message=f"{found.feature} has no values: {found.message}")
