"""The life of a run: asked for once, executed by one, brought to its end whatever happens to its worker."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, OperationalError, transaction
from kombu.exceptions import OperationalError as BrokerUnavailable

from catalog.models import FeatureGroup
from ingestion import leases, pipeline, runs, tasks
from ingestion.extraction import SourceBusy
from ingestion.models import GroupLease, IngestionRun, RunKind, RunState, RunStep, Source, ValidationReport
from ingestion.runs import MAX_ATTEMPTS, STALE_QUEUE, execute_now, execute_run, request_run, unowned_runs, wait_for
from serving.stores import offline
from serving.stores.offline import open_history
from tests.small_warehouse import (
    MONDAY,
    TUESDAY,
    Warehouse,
    amounts,
    counts,
    history_amounts,
    ingest,
    make_accounts,
    make_warehouse,
)

pytestmark = pytest.mark.django_db
Patch = pytest.MonkeyPatch


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    warehouse = make_warehouse(tmp_path)
    warehouse.put(("a", 1.0, "Bern", MONDAY), ("b", 2.0, "Genf", MONDAY))
    return warehouse


@pytest.fixture
def group(warehouse: Warehouse) -> FeatureGroup:
    return make_accounts()


def hold(group: FeatureGroup) -> leases.Lease:
    lease = leases.acquire(group, run_id=uuid4())
    assert lease is not None
    return lease


def before(patches: Patch, target: Any, name: str, do: Callable[[], object]) -> None:
    """Once, just before ``target.name`` is called, ``do``."""
    original = getattr(target, name)

    def called(*arguments: Any, **named: Any) -> Any:
        patches.setattr(target, name, original)
        do()
        return original(*arguments, **named)

    patches.setattr(target, name, called)


class TestRequesting:
    def test_a_run_that_waits_answers_for_the_next_request(self, group: FeatureGroup) -> None:
        first = request_run(group=group)

        assert request_run(group=group) == first
        assert request_run(group=group, kind=RunKind.VALIDATE) != first
        assert IngestionRun.objects.count() == 2

    @pytest.mark.parametrize(
        "begun", [{"state": RunState.RUNNING}, {"attempts": 1}], ids=["running", "to be tried again"]
    )
    def test_one_that_has_begun_does_not(self, group: FeatureGroup, begun: dict[str, Any]) -> None:
        first = request_run(group=group)
        IngestionRun.objects.update(**begun)

        assert request_run(group=group) != first

    def test_the_worker_is_woken_when_the_run_can_be_seen(
        self, group: FeatureGroup, django_capture_on_commit_callbacks: Any
    ) -> None:
        woken: list[UUID] = []
        with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
            run = request_run(group=group, wake=woken.append)
            assert woken == []
        assert woken == [run.pk]

    def test_a_broker_that_is_away_loses_no_run(self, group: FeatureGroup, monkeypatch: Patch) -> None:
        def away(*_: Any) -> None:
            raise BrokerUnavailable("no broker")

        monkeypatch.setattr(tasks.execute, "delay", away)
        run = request_run(group=group)

        tasks.wake_worker(run.pk)

        run.refresh_from_db()
        assert run.state == RunState.QUEUED


class TestTwoRunsAtOnce:
    def test_one_waits_and_says_for_which(self, group: FeatureGroup) -> None:
        holder = hold(group)
        run = request_run(group=group)

        waiting = execute_run(execute_run(run.pk).pk)

        assert (waiting.state, waiting.attempts) == (RunState.QUEUED, 0)
        waiting.refresh_from_db()
        assert waiting.log == f"waits for run {holder.run_id} of the same group\n"
        assert open_history(group) is None
        leases.release(holder)
        assert execute_run(run.pk).state == RunState.SUCCEEDED

    def test_waiting_ends_with_the_time_given(self, group: FeatureGroup) -> None:
        hold(group)
        assert execute_now(request_run(group=group), timeout=0).state == RunState.QUEUED

    def test_a_second_worker_leaves_a_run_that_goes_on_alone(self, group: FeatureGroup, monkeypatch: Patch) -> None:
        run = request_run(group=group)
        seen: list[IngestionRun] = []
        before(monkeypatch, pipeline, "append_history", lambda: seen.append(execute_run(run.pk)))

        ended = execute_run(run.pk)

        assert (seen[0].state, ended.state, ended.attempts) == (RunState.RUNNING, RunState.SUCCEEDED, 1)
        assert len(history_amounts(group)) == 2


def overtake(group: FeatureGroup) -> IngestionRun:
    """The run that holds the group falls silent for too long, and another one takes the group and runs."""
    GroupLease.objects.filter(group=group).update(expires_at=leases.now())
    return execute_run(IngestionRun.objects.create(group=group, created_at=leases.now()).pk)


class TestARunThatLostItsGroup:
    """It was given up for dead, another run did its work, and it comes back."""

    @pytest.mark.parametrize(
        "step", ["read_source_rows", "select_new_rows", "append_history", "assess_group", "_finish"]
    )
    def test_writes_nothing_and_is_resumed(
        self, group: FeatureGroup, warehouse: Warehouse, monkeypatch: Patch, step: str
    ) -> None:
        ingest(group)
        warehouse.set_amounts(["a"], 1.5)
        run = request_run(group=group)
        before(monkeypatch, pipeline, step, lambda: overtake(group))

        lost = execute_run(run.pk)

        assert lost.state == RunState.RUNNING
        assert not ValidationReport.objects.filter(run=run).exists()
        assert history_amounts(group) == [("a", "2025-03-03", 1.0), ("a", "2025-03-03", 1.5), ("b", "2025-03-03", 2.0)]
        assert unowned_runs() == [run.pk]
        assert execute_run(run.pk).state == RunState.SUCCEEDED
        assert amounts(group) == {"a": 1.5, "b": 2.0}
        assert len(history_amounts(group)) == 3

    def test_cannot_append_even_when_it_does_not_look(
        self, group: FeatureGroup, warehouse: Warehouse, monkeypatch: Patch
    ) -> None:
        """It loses the group after its last look, just before the offline commit: the epoch fences it off."""
        ingest(group)
        warehouse.set_amounts(["a"], 1.5)
        run = request_run(group=group)
        before(monkeypatch, offline, "_open_or_create", lambda: overtake(group))

        assert execute_run(run.pk).state == RunState.RUNNING
        assert len(history_amounts(group)) == 3

    def test_nor_in_the_moment_of_the_commit(
        self, group: FeatureGroup, warehouse: Warehouse, monkeypatch: Patch
    ) -> None:
        ingest(group)
        warehouse.set_amounts(["a"], 1.5)
        run = request_run(group=group)
        before(monkeypatch, offline, "write_deltalake", lambda: overtake(group))

        assert execute_run(run.pk).state == RunState.RUNNING
        assert len(history_amounts(group)) == 3

    def test_its_late_append_is_noticed_by_the_one_that_took_over(
        self, group: FeatureGroup, warehouse: Warehouse, monkeypatch: Patch
    ) -> None:
        """The taker has compared source and history when the commit of the one given up arrives after all."""
        ingest(group)
        warehouse.set_amounts(["a"], 1.5)
        silent, taker = (IngestionRun.objects.create(group=group, created_at=leases.now()) for _ in range(2))
        append = pipeline.append_history
        on_its_way: dict[str, Any] = {}

        def fall_silent(**append_of_the_silent: Any) -> int:
            on_its_way.update(append_of_the_silent)
            GroupLease.objects.update(expires_at=leases.now())
            monkeypatch.setattr(pipeline, "append_history", append)
            before(monkeypatch, pipeline, "append_history", lambda: append(**on_its_way))
            assert execute_run(taker.pk).state == RunState.RUNNING
            raise leases.LeaseLost("the answer to the commit never came")

        monkeypatch.setattr(pipeline, "append_history", fall_silent)
        execute_run(silent.pk)

        assert len(history_amounts(group)) == 3
        assert execute_run(taker.pk).state == RunState.SUCCEEDED
        assert execute_run(silent.pk).state == RunState.SUCCEEDED
        assert len(history_amounts(group)) == 3
        assert amounts(group) == {"a": 1.5, "b": 2.0}

    @pytest.mark.parametrize("error", [SourceBusy("in use"), OperationalError("locked"), ValueError("broken")])
    def test_its_failure_is_not_the_failure_of_the_run(
        self, group: FeatureGroup, monkeypatch: Patch, error: Exception
    ) -> None:
        run = request_run(group=group)

        def fail(*_: Any) -> None:
            overtake(group)
            GroupLease.objects.update(holder=uuid4(), expires_at=leases.now() + timedelta(minutes=1))
            raise error

        with pytest.MonkeyPatch.context() as patches:
            before(patches, pipeline, "read_source_rows", fail)  # type: ignore[arg-type]
            assert execute_run(run.pk).state == RunState.RUNNING
        GroupLease.objects.update(expires_at=leases.now())
        assert execute_run(run.pk).state == RunState.SUCCEEDED


class TestFindingWhatNobodyWorksOn:
    @pytest.fixture
    def ended_process(self) -> str:
        process = subprocess.Popen([sys.executable, "-c", ""])
        process.wait()
        return f"{leases.this_process().rpartition(':')[0]}:{process.pid}"

    def test_a_fresh_run_is_left_to_its_message(self, group: FeatureGroup) -> None:
        request_run(group=group)
        assert unowned_runs() == []

    def test_a_run_whose_message_was_lost(self, group: FeatureGroup, monkeypatch: Patch) -> None:
        run = request_run(group=group)
        IngestionRun.objects.update(created_at=leases.now() - STALE_QUEUE - timedelta(seconds=1))
        assert unowned_runs() == [run.pk]
        woken: list[str] = []
        monkeypatch.setattr(tasks.execute, "delay", woken.append)

        tasks.resume_runs()

        assert woken == [str(run.pk)]

    def test_a_run_whose_process_is_gone(self, group: FeatureGroup, ended_process: str) -> None:
        run = request_run(group=group)
        assert leases.acquire(group, run_id=run.pk)
        IngestionRun.objects.update(state=RunState.RUNNING, attempts=1)
        assert unowned_runs() == []

        GroupLease.objects.update(process=ended_process)

        assert unowned_runs() == [run.pk]
        assert execute_run(run.pk).state == RunState.SUCCEEDED
        assert unowned_runs() == []

    def test_a_run_that_waits_for_one_at_work_is_not_woken(self, group: FeatureGroup) -> None:
        request_run(group=group)
        IngestionRun.objects.update(created_at=leases.now() - timedelta(hours=1))
        hold(group)
        assert unowned_runs() == []


class TestFailures:
    @pytest.mark.parametrize("error", [SourceBusy("the database is in use"), OperationalError("database is locked")])
    def test_what_heals_is_tried_again(self, group: FeatureGroup, monkeypatch: Patch, error: Exception) -> None:
        run = request_run(group=group)

        def fail() -> None:
            raise error

        before(monkeypatch, pipeline, "read_source_rows", fail)

        waiting = execute_run(run.pk)
        assert (waiting.state, waiting.step, waiting.attempts) == (RunState.QUEUED, RunStep.WAIT, 1)
        assert waiting.error == str(error)
        assert leases.holder_of(group) is None
        ended = execute_run(run.pk)
        assert (ended.state, ended.error, ended.attempts) == (RunState.SUCCEEDED, "", 2)

    def test_also_after_the_offline_commit(self, group: FeatureGroup, monkeypatch: Patch) -> None:
        def fail() -> None:
            raise OperationalError("database is locked")

        before(monkeypatch, pipeline, "_close", fail)

        run = ingest(group)

        assert (run.state, counts(run)) == (RunState.SUCCEEDED, {"read": 2, "appended": 2, "online": 2})
        assert len(history_amounts(group)) == 2

    def test_what_does_not_heal_is_given_up(self, group: FeatureGroup, monkeypatch: Patch) -> None:
        def fail(*_: Any) -> None:
            raise SourceBusy("the database is in use")

        monkeypatch.setattr(pipeline, "read_source_rows", fail)
        monkeypatch.setattr(runs, "POLL_SECONDS", 0.001)

        run = ingest(group)

        assert (run.state, run.attempts) == (RunState.FAILED, MAX_ATTEMPTS)
        assert run.error == "the database is in use (given up after 5 attempts)"
        assert run.finished_at is not None

    def test_a_source_that_is_not_there_ends_the_run(self, group: FeatureGroup, warehouse: Warehouse) -> None:
        warehouse.file.unlink()

        run = ingest(group)

        assert (run.state, run.attempts) == (RunState.FAILED, 1)
        assert str(warehouse.file) in run.error
        assert "Traceback" not in run.log

    def test_a_source_that_is_not_declared_ends_the_run(self, group: FeatureGroup) -> None:
        Source.objects.update(name="other")

        run = ingest(group)

        assert run.error == "accounts is read from the source 'warehouse', which is not declared; sources: other"

    def test_a_missing_key_column_ends_the_run(self, group: FeatureGroup) -> None:
        FeatureGroup.objects.update(key_map={"customer_id": "acount"})

        run = ingest(FeatureGroup.objects.get())

        assert run.state == RunState.FAILED
        assert "acount" in run.error
        assert "account" in run.error

    def test_a_fault_of_the_program_is_kept_with_its_traceback(self, group: FeatureGroup, monkeypatch: Patch) -> None:
        def fail() -> None:
            raise ZeroDivisionError("by zero")

        before(monkeypatch, pipeline, "assess_group", fail)

        run = ingest(group)

        assert (run.state, run.error) == (RunState.FAILED, "ZeroDivisionError: by zero")
        assert "Traceback" in run.log
        assert leases.holder_of(group) is None
        assert counts(ingest(group)) == {"read": 2, "unchanged": 2, "online": 2}

    def test_a_database_that_is_locked_for_long_is_waited_for(self, group: FeatureGroup, monkeypatch: Patch) -> None:
        def fail() -> None:
            raise OperationalError("database is locked")

        before(monkeypatch, leases, "acquire", fail)

        assert ingest(group).state == RunState.SUCCEEDED

    def test_but_not_for_ever(self, group: FeatureGroup, monkeypatch: Patch) -> None:
        def fail(*_: Any, **__: Any) -> None:
            raise OperationalError("database is locked")

        monkeypatch.setattr(leases, "acquire", fail)
        with pytest.raises(DatabaseError, match="locked"):
            execute_now(request_run(group=group), timeout=0)


class TestTasks:
    def test_execute_comes_back_while_the_run_waits(self, group: FeatureGroup, monkeypatch: Patch) -> None:
        class Again(Exception):
            pass

        delays: list[float] = []

        def retry(*, countdown: float) -> Exception:
            delays.append(countdown)
            return Again()

        monkeypatch.setattr(tasks.execute, "retry", retry)
        holder = hold(group)
        run = request_run(group=group)
        with pytest.raises(Again):
            tasks.execute.run(str(run.pk))
        leases.release(holder)

        tasks.execute.run(str(run.pk))

        assert delays == [tasks.RETRY_SECONDS]
        run.refresh_from_db()
        assert run.state == RunState.SUCCEEDED

    def test_a_schedule_of_a_group_that_went_does_nothing(self, group: FeatureGroup) -> None:
        tasks.ingest_group("no_such_group")
        FeatureGroup.objects.update(status="archived")
        tasks.ingest_group(group.name)

        assert not IngestionRun.objects.exists()

    def test_a_schedule_asks_for_one_run(
        self, group: FeatureGroup, monkeypatch: Patch, django_capture_on_commit_callbacks: Any
    ) -> None:
        woken: list[str] = []
        monkeypatch.setattr(tasks.execute, "delay", woken.append)
        with django_capture_on_commit_callbacks(execute=True):
            tasks.ingest_group(group.name)
            tasks.ingest_group(group.name)

        run = IngestionRun.objects.get()
        assert (run.trigger, run.requested_by) == ("schedule", "scheduler")
        assert set(woken) == {str(run.pk)}


class TestWaiting:
    def test_ends_when_all_have_ended(self, group: FeatureGroup) -> None:
        runs = [ingest(group), ingest(group)]
        assert [run.pk for run in wait_for(reversed(runs), timeout=30)] == [runs[1].pk, runs[0].pk]

    def test_ends_with_its_time(self, group: FeatureGroup) -> None:
        [run] = wait_for([request_run(group=group)], timeout=0)
        assert run.state == RunState.QUEUED


def test_a_run_that_is_late_in_line_reads_what_came_meanwhile(group: FeatureGroup, warehouse: Warehouse) -> None:
    run = request_run(group=group)
    warehouse.put(("c", 3.0, "Sion", TUESDAY))

    assert counts(execute_run(run.pk)) == {"read": 3, "appended": 3, "online": 3}


def test_a_run_of_a_group_that_was_archived_since_is_cancelled(group: FeatureGroup) -> None:
    run = request_run(group=group)
    FeatureGroup.objects.filter(pk=group.pk).update(status="archived")

    ended = execute_run(run.pk)

    assert (ended.state, ended.rows_read) == (RunState.CANCELLED, 0)
    assert ended.error == f"{group.name} was archived after this run was asked for"
