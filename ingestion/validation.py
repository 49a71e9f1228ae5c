"""A validation: the rules and quality thresholds over a group's current values. It writes nothing to the stores."""

from __future__ import annotations

from django.db import transaction

from catalog.clock import now
from ingestion import leases
from ingestion.assessment import Assessment, assess_group
from ingestion.findings import store_assessment, store_report
from ingestion.models import IngestionRun, RunState, RunStep
from ingestion.progress import RunProgress
from serving.stores.offline import open_history


def validate(run: IngestionRun, *, lease: leases.Lease, progress: RunProgress) -> Assessment:
    """Assess the run's group and bring the run to its end; falling short is a result, not a failure of the run."""
    progress.enter(RunStep.VALIDATE, f"checking the current values of {run.group.name}")
    history = open_history(run.group)
    assessment = assess_group(run.group, history=history)
    with transaction.atomic():
        leases.assert_held(lease)
        store_report(
            run=run,
            group=run.group,
            results=(*assessment.results, *assessment.movements),
            assessment=assessment,
            versions=assessment.versions,
            passed=assessment.passed,
        )
        store_assessment(
            group=run.group,
            assessment=assessment,
            run=run,
            table_version=None if history is None else history.version,
        )
        IngestionRun.objects.filter(pk=run.pk).update(
            state=RunState.SUCCEEDED,
            step=RunStep.DONE,
            progress=1.0,
            finished_at=now(),
            error="",
            rows_read=assessment.row_count,
            rows_flagged=assessment.flagged,
            table_version=None if history is None else history.version,
            problems=[
                {"code": "fell_short", "feature": found.feature, "rule": found.rule, "message": found.message}
                for found in assessment.shortfalls
            ],
        )
    return assessment
