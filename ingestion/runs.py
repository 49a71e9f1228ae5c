"""The life of a run: requested, executed (once, by whoever holds the group's lease), waited for.

The IngestionRun row is the truth; a message only wakes a worker to look at it. So a lost message, a killed worker
or a second worker changes nothing: :func:`resume_runs` finds what is unfinished and unowned, and wakes again.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from logging import getLogger
from uuid import UUID

from celery import current_app
from django.contrib.auth.models import AbstractBaseUser
from django.db import DatabaseError, transaction
from django.db.models import F
from django.db.utils import OperationalError
from kombu.exceptions import OperationalError as BrokerUnavailable

from catalog.actor import current_actor
from catalog.clock import now
from catalog.errors import FeatureStoreError, Unavailable
from catalog.models import FeatureGroup, Status
from ingestion import leases
from ingestion.alerts import Channel, raise_alert
from ingestion.models import IngestionRun, RunKind, RunState, RunStep
from ingestion.pipeline import ingest
from ingestion.progress import RunProgress
from ingestion.validation import validate

MAX_ATTEMPTS = 5
POLL_SECONDS = 0.25
ALERT_TASK = "ingestion.tasks.send_alert"
STALE_QUEUE = timedelta(seconds=30)
_LONGEST_PAUSE = 30.0

log = getLogger(__name__)


def request_run(
    *,
    group: FeatureGroup,
    kind: RunKind = RunKind.INGEST,
    trigger: str = "manual",
    user: AbstractBaseUser | None = None,
    wake: Callable[[UUID], None] | None = None,
) -> IngestionRun:
    """A run of ``group`` that will be executed: one that waits to begin, or a new one.

    ``wake`` is called with its id after the transaction has committed.
    """
    with transaction.atomic():
        # One that was begun already may have read the source: it does not answer for what has changed since.
        waiting = IngestionRun.objects.filter(group=group, kind=kind, state=RunState.QUEUED, attempts=0)
        run = waiting.order_by("created_at").first()
        if run is None:
            run = IngestionRun.objects.create(
                group=group,
                kind=kind,
                trigger=trigger,
                requested_by=current_actor().name,
                requested_user_id=None if user is None else user.pk,
                created_at=now(),
            )
        if wake is not None:
            run_id = run.pk
            transaction.on_commit(lambda: wake(run_id))
    return run


def execute_run(run_id: UUID, *, show: Callable[[str, float], None] | None = None, alert: bool = True) -> IngestionRun:
    """Execute the run unless it is finished or another holds its group; the run as it stands then.

    ``show`` is called with the step and its share done; without ``alert`` nobody is told of what it finds. A run that
    waits for another stays queued and its log says for which. Every failure ends in the run's state: terminal ones as
    failed with their reason; transient ones (locked database, unreachable source) leave it queued until
    :data:`MAX_ATTEMPTS`.
    """
    run = IngestionRun.objects.select_related("group__entity").get(pk=run_id)
    if run.is_finished:
        return run
    lease = leases.acquire(run.group, run_id=run.pk)
    if lease is None:
        _say_waiting(run)
        return run
    try:
        run.refresh_from_db()
        if run.is_finished:
            return run
        _attempt(run, lease, show)
    except leases.LeaseLost as error:
        log.warning("run %s of %s gave way: %s", run.pk, run.group.name, error)
        run.refresh_from_db()
        return run  # Whoever took the group tells how it ended.
    finally:
        leases.release(lease)
    run.refresh_from_db()
    if run.is_finished and alert:
        _tell(run)
    return run


def _attempt(run: IngestionRun, lease: leases.Lease, show: Callable[[str, float], None] | None) -> None:
    """Execute the run under its lease; every failure but a lost lease ends in the run's state."""
    if run.group.status == Status.ARCHIVED:
        _end(run, lease, RunState.CANCELLED, f"{run.group.name} was archived after this run was asked for")
        return
    if run.attempts >= MAX_ATTEMPTS:
        _end(
            run,
            lease,
            RunState.FAILED,
            f"given up: its worker died or gave way {run.attempts} times; the logs say more",
        )
        return
    IngestionRun.objects.filter(pk=run.pk).update(
        state=RunState.RUNNING, attempts=F("attempts") + 1, started_at=run.started_at or now()
    )
    work = validate if run.kind == RunKind.VALIDATE else ingest
    try:
        with leases.kept_alive(lease):
            work(run, lease=lease, progress=RunProgress(run, show=show))
    except leases.LeaseLost:
        raise
    except (Unavailable, OperationalError) as error:
        _try_later(run, lease, error)
    except FeatureStoreError as error:
        _end(run, lease, RunState.FAILED, error.message)
    except Exception as error:
        log.exception("run %s of %s failed", run.pk, run.group.name)
        _end(run, lease, RunState.FAILED, f"{type(error).__name__}: {error}", traceback.format_exc())


def _tell(run: IngestionRun) -> None:
    """Raise the alert of a run that has just ended; that it cannot be raised changes nothing of the run."""
    try:
        raise_alert(run, send=_send_alert)
    except (DatabaseError, BrokerUnavailable, OSError):
        log.exception("the alert of run %s could not be raised", run.pk)


def _send_alert(run_id: UUID, channel: Channel) -> None:
    # By its name, as the tasks stand above the runs.
    current_app.send_task(ALERT_TASK, args=[str(run_id), channel.value], ignore_result=True)


def _say_waiting(run: IngestionRun) -> None:
    holder = leases.holder_of(run.group)
    if holder is None or holder == run.pk:
        return
    text = f"waits for run {holder} of the same group"
    if not run.log.endswith(text + "\n"):
        IngestionRun.objects.filter(pk=run.pk, state=RunState.QUEUED).update(log=run.log + text + "\n")


def _try_later(run: IngestionRun, lease: leases.Lease, error: Exception) -> None:
    run.refresh_from_db(fields=["attempts"])
    if run.attempts >= MAX_ATTEMPTS:
        _end(run, lease, RunState.FAILED, f"{error} (given up after {run.attempts} attempts)")
        return
    log.warning("run %s of %s will be tried again: %s", run.pk, run.group.name, error)
    with transaction.atomic():
        leases.assert_held(lease)
        IngestionRun.objects.filter(pk=run.pk, state=RunState.RUNNING).update(
            state=RunState.QUEUED, step=RunStep.WAIT, error=str(error)
        )


def _end(run: IngestionRun, lease: leases.Lease, state: RunState, reason: str, details: str = "") -> None:
    with transaction.atomic():
        leases.assert_held(lease)
        run.refresh_from_db(fields=["log"])
        IngestionRun.objects.filter(pk=run.pk).update(
            state=state, error=reason, log=f"{run.log}{details}", finished_at=now()
        )


def unowned_runs() -> list[UUID]:
    """The runs that nobody is working on: their worker died, or their message was lost."""
    found = []
    for run in IngestionRun.objects.unfinished().select_related("group").order_by("created_at"):
        holder = leases.holder_of(run.group)
        waiting_long = run.state == RunState.QUEUED and run.created_at < now() - STALE_QUEUE
        if holder is None and (run.state == RunState.RUNNING or waiting_long):
            found.append(run.pk)
    return found


def wait_for(runs: Iterable[IngestionRun], *, timeout: float) -> list[IngestionRun]:
    """The runs as they stand when all have ended, or after ``timeout`` seconds."""
    ids = [run.pk for run in runs]
    deadline = time.monotonic() + timeout
    while True:
        current = _in_order(ids)
        if all(run.is_finished for run in current) or time.monotonic() >= deadline:
            return current
        time.sleep(POLL_SECONDS)


def _in_order(ids: Sequence[UUID]) -> list[IngestionRun]:
    found = {run.pk: run for run in IngestionRun.objects.select_related("group").filter(pk__in=ids)}
    return [found[run_id] for run_id in ids if run_id in found]


def execute_now(
    run: IngestionRun, *, show: Callable[[str, float], None] | None = None, timeout: float = 600.0
) -> IngestionRun:
    """Execute the run in this process, waiting while another holds its group or a transient failure heals.

    Runs of the group that a killed process left behind are brought to their end first.
    """
    deadline = time.monotonic() + timeout
    while True:
        try:
            for left in _left_behind(run):
                execute_run(left)
            run = execute_run(run.pk, show=show)
        except OperationalError:
            if time.monotonic() >= deadline:
                raise
            log.warning("run %s of %s waits for the database", run.pk, run.group.name, exc_info=True)
        if run.is_finished or time.monotonic() >= deadline:
            return run
        # What may heal is given time to; a run that only waits for another looks again at once.
        time.sleep(min(POLL_SECONDS * 3**run.attempts, _LONGEST_PAUSE, max(0.0, deadline - time.monotonic())))


def _left_behind(run: IngestionRun) -> list[UUID]:
    earlier = IngestionRun.objects.filter(group=run.group, state=RunState.RUNNING, created_at__lte=run.created_at)
    found = list(earlier.exclude(pk=run.pk).order_by("created_at").values_list("pk", flat=True))
    return found if found and leases.holder_of(run.group) is None else []
