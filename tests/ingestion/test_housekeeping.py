"""What runs beside the runs: it waits for none of them, and does not pile up."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from django_celery_beat.models import PeriodicTask

from catalog.clock import now
from catalog.errors import Unavailable
from catalog.models import FeatureGroup
from ingestion import leases, runs, tasks
from ingestion.models import IngestionRun, RunState
from ingestion.runs import request_run
from ingestion.schedules import EXPIRE_SECONDS, sync_schedules
from serving.models import MaterializedTable
from tests.small_warehouse import MONDAY, ingest, make_accounts, make_warehouse

pytestmark = pytest.mark.django_db


@pytest.fixture
def group(tmp_path: Path) -> FeatureGroup:
    warehouse = make_warehouse(tmp_path)
    warehouse.put(("a", 1.0, "Bern", MONDAY))
    group = make_accounts()
    ingest(group)
    return group


@pytest.fixture
def held(group: FeatureGroup) -> Iterator[leases.Lease]:
    lease = leases.acquire(group, run_id=uuid4())
    assert lease is not None
    yield lease
    leases.release(lease)


def test_a_busy_group_is_left_for_the_next_time(group: FeatureGroup, held: leases.Lease) -> None:
    MaterializedTable.objects.update(next_event=now())
    begun = time.monotonic()

    tasks.materialize_due()

    assert time.monotonic() - begun < 5
    assert MaterializedTable.objects.get().next_event is not None
    leases.release(held)
    tasks.materialize_due()
    assert MaterializedTable.objects.get().next_event is None


def test_a_run_that_another_worker_executes_is_left_to_it(group: FeatureGroup) -> None:
    run = request_run(group=group)
    lease = leases.acquire(group, run_id=run.pk)
    assert lease is not None
    IngestionRun.objects.filter(pk=run.pk).update(state=RunState.RUNNING, attempts=1)

    tasks.execute.run(str(run.pk))  # It would raise Retry.

    run.refresh_from_db()
    assert run.state == RunState.RUNNING


def test_what_fails_is_tried_ever_later(group: FeatureGroup, monkeypatch: pytest.MonkeyPatch) -> None:
    class Again(Exception):
        pass

    delays: list[float] = []

    def retry(*, countdown: float) -> Exception:
        delays.append(countdown)
        return Again()

    def away(*_: object, **__: object) -> None:
        raise Unavailable("the source is away")

    monkeypatch.setattr(tasks.execute, "retry", retry)
    monkeypatch.setattr(runs, "ingest", away)
    run = request_run(group=group)
    for _ in range(runs.MAX_ATTEMPTS - 1):
        with pytest.raises(Again):
            tasks.execute.run(str(run.pk))

    tasks.execute.run(str(run.pk))

    assert delays == [10, 20, 40, 80]
    run.refresh_from_db()
    assert run.state == RunState.FAILED


def test_what_comes_every_minute_expires(group: FeatureGroup) -> None:
    sync_schedules(default="0 * * * *", enabled=True)
    expiring = dict(PeriodicTask.objects.values_list("name", "expire_seconds"))
    assert expiring["resume runs"] == EXPIRE_SECONDS
    assert expiring["write reports"] is None
    assert expiring[f"ingest {group.name}"] is None
