"""Celery tasks: thin, given ids, safe to run twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from logging import getLogger
from uuid import UUID

from celery import Task, shared_task
from kombu.exceptions import OperationalError as BrokerUnavailable

from catalog.actor import acting
from catalog.clock import machine_time, now
from catalog.errors import Conflict
from catalog.models import FeatureGroup
from catalog.models.search_change import forget_taken_over
from ingestion import demo_loading, documentation
from ingestion.alerts import AlertNotDelivered, Channel, deliver
from ingestion.compaction import compact_group, groups_worth_compacting
from ingestion.models import IngestionRun, RunKind, RunState
from ingestion.rebuilding import groups_renewed_in_part, groups_with_due_events, rebuild_online
from ingestion.runs import execute_run, request_run, unowned_runs
from serving import usage
from serving.expiry import expire_group, groups_that_lack_expired_rows
from serving.lost_rows import groups_that_lost_rows

log = getLogger(__name__)

RETRY_SECONDS = 5
ALERT_ATTEMPTS = 8
_LONGEST_PAUSE = 3600
# Longer than any process searches without making its index anew.
SEARCH_CHANGES_KEPT = timedelta(days=1)


def wake_worker(run_id: UUID) -> None:
    """Tell a worker to look at the run. When the broker is away the run stays queued and is found later."""
    try:
        execute.delay(str(run_id))
    except (BrokerUnavailable, OSError):
        log.warning("the broker does not take messages; run %s stays queued", run_id, exc_info=True)


@shared_task(bind=True, name="ingestion.tasks.execute", max_retries=None, ignore_result=True)
def execute(self: Task[[str], None], run_id: str) -> None:
    """Execute one run; come back later when it waits for another run or for something to heal.

    One that another worker executes is left to that one: if it dies, :func:`resume_runs` finds the run.
    """
    with acting(None, "worker"):
        run = execute_run(UUID(run_id))
    if run.state == RunState.QUEUED:
        # What has failed already may take its time to heal: each attempt comes twice as late as the one before.
        raise self.retry(countdown=RETRY_SECONDS * 2**run.attempts)


def wake_demo(load_id: int) -> None:
    """Tell a worker to load the demo; without a broker it stays queued, and may be asked for again."""
    try:
        load_demo.delay(load_id)
    except (BrokerUnavailable, OSError):
        log.warning("the broker does not take messages; the demo is not loaded", exc_info=True)


@shared_task(name="ingestion.tasks.load_demo", ignore_result=True)
def load_demo(load_id: int) -> None:
    """Fill the empty store with the demo bank."""
    demo_loading.load_demo(load_id, wake=wake_worker)


@shared_task(name="ingestion.tasks.ingest_group", ignore_result=True)
def ingest_group(group: str) -> None:
    """Request a run of the group named; what the schedules call."""
    with acting(None, "scheduler"):
        found = FeatureGroup.objects.ingested().filter(name=group).first()
        if found is None:
            log.warning("schedule names the feature group %s, which is not there or is archived", group)
            return
        request_run(group=found, kind=RunKind.INGEST, trigger="schedule", wake=wake_worker)


@shared_task(name="ingestion.tasks.resume_runs", ignore_result=True)
def resume_runs() -> None:
    """Wake a worker for every run that nobody is working on."""
    for run_id in unowned_runs():
        wake_worker(run_id)


@shared_task(name="ingestion.tasks.materialize_due", ignore_result=True)
def materialize_due() -> None:
    """Carry into the online store the values whose event was in the future when they were ingested, or which have
    expired there and would answer again, as max age was made longer, or which it has lost; and make those anew of
    which only a part is.
    """
    with acting(None, "scheduler"):
        late = {*groups_with_due_events(), *groups_that_lack_expired_rows(at=now())}
        for group in {*late, *groups_that_lost_rows(), *groups_renewed_in_part()}:
            with _left_for_later(group):
                rebuild_online(group, whole=False, timeout=0)


@shared_task(name="ingestion.tasks.expire_online", ignore_result=True)
def expire_online() -> None:
    """Delete what is too old to answer from an online store in memory."""
    for group in FeatureGroup.objects.exclude(max_age=None):
        expire_group(group, at=now())


@shared_task(name="ingestion.tasks.compact_histories", ignore_result=True)
def compact_histories() -> None:
    """Make few sorted files of the histories that lie in many."""
    with acting(None, "scheduler"):
        for group in groups_worth_compacting():
            with _left_for_later(group):
                compact_group(group, timeout=0)


@contextmanager
def _left_for_later(group: FeatureGroup) -> Iterator[None]:
    """Housekeeping of a group that a run holds waits for the next time, and keeps no worker from other groups."""
    try:
        yield
    except Conflict as error:
        log.info("%s is left for the next time: %s", group.name, error)


@shared_task(name="ingestion.tasks.fold_access_log", ignore_result=True)
def fold_access_log() -> None:
    """Count the reads of the access log into usage and latency."""
    usage.fold_access_log()


@shared_task(name="ingestion.tasks.forget_search_changes", ignore_result=True)
def forget_search_changes() -> None:
    """Remove what every search index has taken over long ago."""
    forget_taken_over(before=machine_time() - SEARCH_CHANGES_KEPT)


@shared_task(name="ingestion.tasks.write_reports", ignore_result=True)
def write_reports() -> None:
    """Write the feature documentation and the exports that the configuration asks for."""
    with acting(None, "scheduler"):
        documentation.write_reports()


@shared_task(bind=True, name="ingestion.tasks.send_alert", max_retries=ALERT_ATTEMPTS - 1, ignore_result=True)
def send_alert(self: Task[[str, str], None], run_id: str, channel: str) -> None:
    """Send the alert of a run by one channel; what may heal is tried again, each time after a longer pause."""
    run = IngestionRun.objects.select_related("group").filter(pk=UUID(run_id)).first()
    if run is None:
        return
    try:
        deliver(run, Channel(channel))
    except AlertNotDelivered as error:
        attempt = self.request.retries + 1
        if not error.heals or attempt >= ALERT_ATTEMPTS:
            log.error("the alert of run %s is given up after %d attempts: %s", run_id, attempt, error)
            return
        log.warning("the alert of run %s will be sent again: %s", run_id, error)
        raise self.retry(countdown=min(RETRY_SECONDS * 4**self.request.retries, _LONGEST_PAUSE)) from None
