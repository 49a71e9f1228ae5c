"""One ingestion, exactly once: extract → validate → append → materialize.

What it writes is two commits. The first is the Delta commit that carries the run's id. The second is one SQL
transaction: the online rows, the materialized table version, reports, statistics and the run's final state. A run
that dies between the two finds its own commit when it is started again, and does not repeat it. Quarantined rows are
written between them, each once however often that happens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.expressions import Combinable

from catalog.clock import now
from ingestion import leases
from ingestion.assessment import Assessment, assess_group
from ingestion.checks import CheckOutcome
from ingestion.findings import (
    broken_rules,
    missing_columns,
    store_assessment,
    store_quarantine,
    store_report,
    store_source_problems,
)
from ingestion.lineage import record_group_lineage
from ingestion.models import IngestionRun, RunState, RunStep
from ingestion.newness import NewRows, select_new_rows
from ingestion.plan import IngestionPlan, plan_ingestion
from ingestion.profiles import contradictions
from ingestion.progress import RunProgress
from ingestion.source_rows import (
    SourceRows,
    accepted_rows,
    check_source_rows,
    read_source_rows,
    rejected_rows,
    unreadable_keys,
)
from ingestion.step6 import Problem, inherit_metadata
from serving import materialization
from serving.stores.offline import History, append_history, epoch_of, newest_created, open_history, run_is_in_history

_MICROSECOND = timedelta(microseconds=1)
_ARRIVAL_BITS = 32


@dataclass(frozen=True)
class _Checked:
    """What was read, and what the rules said about it."""

    plan: IngestionPlan
    rows: SourceRows
    outcome: CheckOutcome


def ingest(run: IngestionRun, *, lease: leases.Lease, progress: RunProgress) -> None:
    """Carry the new rows of the group's source into both stores and bring the run to its end.

    :raises LeaseLost: when another run took the group; nothing of this one's second commit is written then.
    :raises FeatureStoreError: when the source cannot be read as declared; nothing is written.
    """
    plan = plan_ingestion(run.group)
    progress.enter(RunStep.EXTRACT, f"reading {plan.source}: {run.group.source_table}")
    rows = read_source_rows(plan, progress)
    progress.enter(RunStep.VALIDATE, f"{rows.table.num_rows} rows read")
    outcome = check_source_rows(plan, rows, all_rules=settings.FEATURESTORE.ingestion.validate_on_ingestion)
    checked = _Checked(plan, rows, outcome)
    if outcome.fail:
        _refuse(run, checked, lease=lease)
        return
    progress.enter(RunStep.APPEND)
    new, appended = _append(run, checked, lease=lease, progress=progress)
    progress.enter(RunStep.MATERIALIZE, f"{appended} rows appended to history")
    prepared = materialization.prepare(run.group)
    progress.enter(RunStep.PROFILE)
    assessment = assess_group(
        run.group,
        history=None if prepared is None else prepared.history,
        problems=rows.problems,
        unreadable=unreadable_keys(rows),
        contradicted=contradictions(rows.table),
    )
    progress.enter(RunStep.MATERIALIZE)
    _finish(run, checked, new, appended, prepared, assessment, lease=lease, progress=progress)


def _append(run: IngestionRun, checked: _Checked, *, lease: leases.Lease, progress: RunProgress) -> tuple[NewRows, int]:
    """The new rows, and how many of this run are in the history now."""
    history = open_history(run.group)
    committed = run_is_in_history(history, str(run.pk))
    new = select_new_rows(
        incoming=accepted_rows(checked.rows, checked.outcome),
        history=None if history is None else history.dataset,
        value_columns=checked.plan.value_columns,
        source_has_created=checked.rows.has_created,
        ignore_run=str(run.pk) if committed else None,
        memory_limit=settings.FEATURESTORE.feature_store.history_memory_limit,
        spill_folder=settings.FEATURESTORE.feature_store.cache_path / "spill",
    )
    if committed and history is not None:
        progress.say("its rows are in the history already, from before it was interrupted")
        return new, int(history.dataset.count_rows(filter=pads.field("run_id") == str(run.pk)))
    if new.rows.num_rows == 0:
        return new, 0
    learned_at = None if checked.rows.has_created else _learned_at(history)
    seen = epoch_of(history)
    # A lease that is held has the greatest epoch, unless the database was restored from before the history.
    epoch = max(lease.epoch, seen + 1)
    table = _stamped(new.rows, run=run, epoch=epoch, learned_at=learned_at)
    leases.assert_held(lease)
    append_history(group=run.group, rows=table, run_id=str(run.pk), epoch=epoch, seen_epoch=seen)
    return new, table.num_rows


def _learned_at(history: History | None) -> datetime:
    """The created timestamp of what is learnt now: after all that was learnt before, whatever the clock says."""
    at = now()
    newest = None if history is None else newest_created(history)
    return at if newest is None else max(at, newest + _MICROSECOND)


def _stamped(rows: pa.Table, *, run: IngestionRun, epoch: int, learned_at: datetime | None) -> pa.Table:
    """The rows as history keeps them; ``learned_at`` is None where the source says itself when they were created."""
    created = rows["created_timestamp"]
    if learned_at is not None:
        created = pa.repeat(pa.scalar(learned_at, created.type), rows.num_rows)
    arrivals = pc.add(pa.scalar(epoch << _ARRIVAL_BITS, pa.int64()), rows["source_row"])
    values = rows.drop_columns(["entity_key", "event_timestamp", "created_timestamp", "source_row"])
    stamped = pa.table(
        {
            "entity_key": rows["entity_key"].cast(pa.string()),
            "event_timestamp": rows["event_timestamp"],
            "created_timestamp": created,
            "run_id": pa.repeat(pa.scalar(str(run.pk), pa.string()), rows.num_rows),
            "arrival": arrivals,
        }
    )
    for name in values.column_names:
        stamped = stamped.append_column(name, values[name])
    return stamped


def _refuse(run: IngestionRun, checked: _Checked, *, lease: leases.Lease) -> None:
    """The run ends as failed: a rule of severity fail was broken, and none of its rows is stored."""
    broken = "; ".join(result.message for result in checked.outcome.failures)
    with transaction.atomic():
        leases.assert_held(lease)
        store_source_problems(versions=checked.plan.versions, problems=checked.rows.problems)
        store_report(
            run=run,
            group=run.group,
            results=checked.outcome.results,
            assessment=None,
            versions=checked.plan.versions,
            passed=False,
        )
        _close(run, checked, state=RunState.FAILED, error=f"a rule of severity fail was broken: {broken}")


def _finish(
    run: IngestionRun,
    checked: _Checked,
    new: NewRows,
    appended: int,
    prepared: materialization.Prepared | None,
    assessment: Assessment,
    *,
    lease: leases.Lease,
    progress: RunProgress,
) -> None:
    """The second commit: all that the run changes in SQL, and its end."""
    store_quarantine(
        run=run,
        rejected=rejected_rows(checked.rows, checked.outcome),
        hold=lambda: leases.assert_held(lease),
    )
    ahead = None if prepared is None else _carry_ahead(run, prepared, lease=lease, progress=progress)
    with transaction.atomic():
        leases.assert_held(lease)
        carried = None if ahead is None else materialization.commit(ahead)
        # What was carried ahead is counted already, by this attempt and those before it.
        uncounted = 0 if ahead is None or carried is None or ahead.ahead else carried.rows_written
        store_source_problems(versions=checked.plan.versions, problems=checked.rows.problems)
        store_report(
            run=run,
            group=run.group,
            results=(*checked.outcome.results, *assessment.movements),
            assessment=assessment,
            versions=checked.plan.versions,
            passed=assessment.passed,
        )
        store_assessment(
            group=run.group,
            assessment=assessment,
            run=run,
            table_version=None if prepared is None else prepared.history.version,
        )
        step6_problems = inherit_metadata(run.group, source=checked.plan.source)
        record_group_lineage(run.group)
        _close(
            run,
            checked,
            state=RunState.SUCCEEDED,
            step6_problems=step6_problems,
            rows_unchanged=new.unchanged,
            rows_superseded=new.superseded,
            rows_appended=appended,
            rows_online=F("rows_online") + uncounted,
            table_version=None if carried is None else carried.table_version,
        )


def _carry_ahead(
    run: IngestionRun, prepared: materialization.Prepared, *, lease: leases.Lease, progress: RunProgress
) -> materialization.Carried:
    """Put the rows of a large load online; the run counts them as it goes, and also if it is broken off."""
    done = 0

    def show(count: int) -> None:
        nonlocal done
        done += count
        progress.share(done, prepared.latest.count)

    def count(changed: int) -> None:
        IngestionRun.objects.filter(pk=run.pk).update(rows_online=F("rows_online") + changed)

    return materialization.carry_ahead(prepared, hold=lambda: leases.assert_held(lease), written=count, progress=show)


def _close(
    run: IngestionRun,
    checked: _Checked,
    *,
    state: RunState,
    error: str = "",
    step6_problems: Sequence[Problem] = (),
    **counts: int | Combinable | None,
) -> None:
    IngestionRun.objects.filter(pk=run.pk).update(
        state=state,
        step=RunStep.DONE,
        progress=1.0,
        finished_at=now(),
        error=error,
        rows_read=checked.rows.table.num_rows,
        rows_flagged=pc.sum(checked.outcome.flagged).as_py() or 0,
        rows_rejected=pc.sum(checked.outcome.rejected).as_py() or 0,
        problems=[
            *missing_columns(checked.plan.versions, checked.rows.problems),
            *broken_rules(checked.outcome),
            *(problem.as_json() for problem in step6_problems),
        ],
        **counts,
    )
