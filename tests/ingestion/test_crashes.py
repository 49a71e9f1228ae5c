"""A run that is killed at any point and started again ends as one that was never killed."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from catalog.models import Entity, FeatureGroup
from ingestion import leases
from ingestion.models import GroupLease, IngestionRun, RunKind, RunState
from ingestion.runs import MAX_ATTEMPTS, execute_now, execute_run, request_run
from serving import materialization, online_rows
from serving.models import MaterializedTable
from serving.stores.offline import open_history
from serving.stores.online import DatabaseOnlineStore
from tests.small_warehouse import (
    MONDAY,
    TUESDAY,
    Warehouse,
    counts,
    history_amounts,
    ingest,
    make_accounts,
    make_warehouse,
    online,
    state_of,
)
from tests.stocked_store import make_entity, make_feature

pytestmark = pytest.mark.django_db

STEPS = [
    "ingestion.runs.RunProgress",
    "ingestion.pipeline.plan_ingestion",
    "ingestion.source_rows.extract",
    "ingestion.pipeline.check_source_rows",
    "ingestion.pipeline.open_history",
    "ingestion.pipeline.select_new_rows",
    "serving.stores.offline._open_or_create",
    "serving.stores.offline.write_deltalake",
    "serving.materialization.prepare",
    "ingestion.pipeline.assess_group",
    "serving.materialization.commit",
    "serving.stores.online.DatabaseOnlineStore._write_batch",
    "ingestion.pipeline.store_quarantine",
    "ingestion.pipeline.store_source_problems",
    "ingestion.pipeline.store_report",
    "ingestion.pipeline.store_assessment",
    "ingestion.pipeline.inherit_metadata",
    "ingestion.pipeline.record_group_lineage",
    "ingestion.pipeline._close",
    "ingestion.leases.assert_held",
    "ingestion.leases.kept_alive",
]
WRITING_STEPS = [
    "serving.stores.offline.write_deltalake",
    "ingestion.pipeline.append_history",
    "serving.materialization.commit",
    "serving.stores.online.DatabaseOnlineStore._write_batch",
    "ingestion.pipeline.store_quarantine",
    "ingestion.pipeline.store_assessment",
    "ingestion.pipeline._close",
]
FIRST_ROWS = [("a", 1.0, "Bern", MONDAY), ("b", 2.0, "nan", MONDAY), ("bad", -1.0, "Chur", MONDAY)]


class Killed(BaseException):
    """The end of the process, as far as the code can tell."""


def named(path: str) -> tuple[Any, str]:
    """The module or class that holds ``path``, and its last part."""
    parts = path.split(".")
    for length in range(len(parts) - 1, 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for name in parts[length:-1]:
            found = getattr(found, name)
        return found, parts[-1]
    raise AssertionError(path)


@contextmanager
def killed_at(path: str, *, after: bool, time: int = 1) -> Iterator[list[str]]:
    """The process dies when ``path`` is called so many times, or when it returns; nothing gives the lease back."""
    reached: list[str] = []
    holder, name = named(path)
    original = getattr(holder, name)

    def die(*arguments: Any, **named_arguments: Any) -> Any:
        reached.append(path)
        if len(reached) < time:
            return original(*arguments, **named_arguments)
        if after:
            original(*arguments, **named_arguments)
        raise Killed

    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(leases, "release", lambda _: None)
        patches.setattr(holder, name, die)
        yield reached


def kill(run: IngestionRun, path: str, *, after: bool = False, time: int = 1) -> None:
    """Execute ``run`` until it dies at ``path``; its lease runs out."""
    with killed_at(path, after=after, time=time) as reached:
        with pytest.raises(Killed):
            execute_run(run.pk)
        assert reached
    run.refresh_from_db()
    assert run.state == RunState.RUNNING
    assert leases.holder_of(run.group) == run.pk
    GroupLease.objects.filter(group=run.group).update(expires_at=leases.now())


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    """What stood in the source before the run that is killed."""
    warehouse = make_warehouse(tmp_path)
    warehouse.put(*FIRST_ROWS)
    return warehouse


def change(warehouse: Warehouse) -> None:
    """What the run that is killed shall carry over: new, changed, late, doubled and rejected rows."""
    warehouse.set_amounts(["a"], 1.5)
    warehouse.put(
        ("b", 2.5, "Genf", TUESDAY),
        ("b", 0.5, "Genf", "2025-02-01 10:00:00"),
        ("c", 3.0, "Sion", TUESDAY),
        ("c", 3.5, "Sion", TUESDAY),
        ("worse", -2.0, "Chur", TUESDAY),
    )


def make_twin(name: str, *, entity: Entity | None = None, source: str = "warehouse") -> FeatureGroup:
    group = make_accounts(name, entity=entity)
    FeatureGroup.objects.filter(pk=group.pk).update(source=source)
    group.source = source
    make_feature(group, "points", "integer", source_column="points")
    return group


@pytest.fixture
def killed() -> FeatureGroup:
    """The group whose run is killed."""
    return make_twin("killed")


_NEVER_KILLED: dict[str, dict[str, Any]] = {}


def never_killed(warehouse: Warehouse, *, changed: bool) -> dict[str, Any]:
    """What a run that nobody kills leaves behind: the first one, or the one after the source ``changed``.

    It is the same in every test, and so asked for once.
    """
    if not _NEVER_KILLED:
        source = make_warehouse(warehouse.file.parent, name="spared")
        source.put(*FIRST_ROWS)
        spared = make_twin("spared", entity=make_entity("twin"), source="spared")
        _NEVER_KILLED["first"] = state_of(spared, ingest(spared))
        change(source)
        _NEVER_KILLED["changed"] = state_of(spared, ingest(spared))
    return _NEVER_KILLED["changed" if changed else "first"]


@pytest.mark.parametrize(
    ("step", "after"),
    [*((step, False) for step in STEPS), *((step, True) for step in WRITING_STEPS)],
    ids=lambda value: {True: "after", False: "before"}.get(value, value),
)
def test_a_killed_run_ends_as_one_never_killed(
    warehouse: Warehouse, killed: FeatureGroup, step: str, after: bool
) -> None:
    expected = never_killed(warehouse, changed=True)
    ingest(killed)
    change(warehouse)
    run = request_run(group=killed)

    kill(run, step, after=after)
    resumed = execute_run(run.pk)

    assert resumed.attempts == 2
    assert counts(resumed) == {
        "read": 8, "unchanged": 1, "superseded": 1, "rejected": 2, "appended": 4, "online": 3
    }  # fmt: skip
    assert state_of(killed, resumed) == expected


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", ["serving.stores.offline._open_or_create", "serving.stores.offline.write_deltalake"])
def test_also_when_it_is_the_first_ingestion(
    warehouse: Warehouse, killed: FeatureGroup, step: str, after: bool
) -> None:
    expected = never_killed(warehouse, changed=False)
    run = request_run(group=killed)

    kill(run, step, after=after)

    assert state_of(killed, execute_run(run.pk)) == expected


class TestLargeLoads:
    """The rows go online ahead of the second commit, one batch and transaction after the other."""

    @pytest.fixture(autouse=True)
    def one_row_at_a_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(materialization, "TOGETHER_ROWS", 0)
        monkeypatch.setattr(online_rows, "BATCH_ROWS", 1)

    @pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
    @pytest.mark.parametrize(
        ("step", "time"),
        [
            ("serving.stores.online.DatabaseOnlineStore._write_batch", 1),
            ("serving.stores.online.DatabaseOnlineStore._write_batch", 2),
            ("serving.stores.online.DatabaseOnlineStore._write_batch", 3),
            ("serving.online_rows.json_documents", 2),
            ("serving.online_rows._batch", 2),
            ("serving.materialization.carry_ahead", 1),
            ("serving.materialization.commit", 1),
            ("ingestion.pipeline._close", 1),
        ],
    )
    def test_killed_between_batches_it_ends_as_one_never_killed(
        self, warehouse: Warehouse, killed: FeatureGroup, step: str, time: int, after: bool
    ) -> None:
        expected = never_killed(warehouse, changed=True)
        ingest(killed)
        change(warehouse)
        run = request_run(group=killed)

        kill(run, step, after=after, time=time)
        resumed = execute_run(run.pk)

        assert counts(resumed)["online"] == 3
        assert state_of(killed, resumed) == expected

    def test_what_is_online_already_is_of_the_history(self, warehouse: Warehouse, killed: FeatureGroup) -> None:
        """Each row is the old one or the new one, and how far the group is carried is not said too early."""
        ingest(killed)
        before = online(killed)
        carried = list(MaterializedTable.objects.values_list("table_version", flat=True))
        change(warehouse)
        run = request_run(group=killed)

        kill(run, "serving.stores.online.DatabaseOnlineStore._write_batch", time=3)

        between = online(killed)
        execute_run(run.pk)
        after = online(killed)
        assert between not in (before, after)
        assert all(values in (before.get(key), after[key]) for key, values in between.items())
        run.refresh_from_db()
        assert run.rows_online == 3
        assert carried != list(MaterializedTable.objects.values_list("table_version", flat=True))

    def test_one_that_lost_its_lease_writes_no_further_batch(self, warehouse: Warehouse, killed: FeatureGroup) -> None:
        run = request_run(group=killed)
        write = DatabaseOnlineStore._write_batch

        def then_lose(*arguments: Any, **named_arguments: Any) -> int:
            written = write(*arguments, **named_arguments)
            GroupLease.objects.update(epoch=99)
            return written

        with pytest.MonkeyPatch.context() as patches:
            patches.setattr(DatabaseOnlineStore, "_write_batch", then_lose)
            execute_run(run.pk)

        run.refresh_from_db()
        assert (run.state, run.rows_online, len(online(killed))) == (RunState.RUNNING, 1, 1)
        assert not MaterializedTable.objects.exists()


def test_killed_when_its_end_is_written_it_has_ended(warehouse: Warehouse) -> None:
    """Only the lease is left to give back."""
    group = make_accounts()
    run = request_run(group=group)

    with killed_at("ingestion.leases.release", after=False), pytest.raises(Killed):
        execute_run(run.pk)
    state = state_of(group, run)
    assert state["run"][0] == RunState.SUCCEEDED
    GroupLease.objects.update(expires_at=leases.now())

    assert state_of(group, execute_run(run.pk)) == state
    assert counts(ingest(group)) == {"read": 3, "unchanged": 2, "rejected": 1}


def test_killed_again_and_again_until_it_gets_through(warehouse: Warehouse, killed: FeatureGroup) -> None:
    expected = never_killed(warehouse, changed=False)
    run = request_run(group=killed)
    kill(run, "serving.stores.offline.write_deltalake")
    kill(run, "serving.stores.offline.write_deltalake", after=True)
    kill(run, "serving.materialization.commit")
    kill(run, "ingestion.pipeline._close", after=True)

    resumed = execute_run(run.pk)

    assert resumed.attempts == MAX_ATTEMPTS
    assert state_of(killed, resumed) == expected


def test_one_that_always_dies_is_given_up(warehouse: Warehouse) -> None:
    group = make_accounts()
    run = request_run(group=group)
    for _ in range(MAX_ATTEMPTS):
        kill(run, "ingestion.pipeline.check_source_rows")

    ended = execute_run(run.pk)

    assert (ended.state, ended.attempts) == (RunState.FAILED, MAX_ATTEMPTS)
    assert ended.error == "given up: its worker died or gave way 5 times; the logs say more"
    assert leases.holder_of(group) is None
    assert open_history(group) is None


@pytest.mark.parametrize("after", [False, True], ids=["before its commit", "after its commit"])
def test_the_next_run_ends_what_a_killed_one_left(warehouse: Warehouse, after: bool) -> None:
    """No worker runs, and someone ingests again by hand, after the source has changed."""
    group = make_accounts()
    left = request_run(group=group)
    kill(left, "serving.stores.offline.write_deltalake", after=after)
    warehouse.put(("c", 3.0, "Sion", TUESDAY))

    run = ingest(group)

    left.refresh_from_db()
    assert (left.state, run.state) == (RunState.SUCCEEDED, RunState.SUCCEEDED)
    assert history_amounts(group) == [
        ("a", "2025-03-03", 1.0),
        ("b", "2025-03-03", 2.0),
        ("c", "2025-03-04", 3.0),
    ]
    assert counts(left)["appended"] + counts(run).get("appended", 0) == 3
    assert state_of(group, run)["materialized"][0][:2] == (3, 3)


def test_another_group_is_not_touched_by_what_was_left(warehouse: Warehouse) -> None:
    left = request_run(group=make_twin("left", entity=make_entity("twin")))
    kill(left, "ingestion.pipeline._close")

    ingest(make_accounts())

    left.refresh_from_db()
    assert left.state == RunState.RUNNING


@pytest.mark.parametrize(
    "step",
    ["ingestion.validation.assess_group", "ingestion.validation.store_report", "ingestion.validation.store_assessment"],
)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_killed_validation_ends_as_one_never_killed(warehouse: Warehouse, step: str, after: bool) -> None:
    group = make_accounts()
    ingest(group)
    expected = state_of(group, ingest(group, RunKind.VALIDATE))
    run = request_run(group=group, kind=RunKind.VALIDATE)

    kill(run, step, after=after)

    found = state_of(group, execute_run(run.pk))
    assert found == expected


def test_a_kill_within_the_second_commit_undoes_it_whole(warehouse: Warehouse) -> None:
    group = make_accounts()
    run = request_run(group=group)
    kill(run, "ingestion.pipeline._close", after=True)

    state = state_of(group, run)

    assert (state["online"], state["materialized"], state["report"]) == ({}, [], None)
    assert state["quarantine"] == [("bad", -1.0)]  # Kept before it, for good.
    assert state["profiles"] == []
    assert state["appended by the run"] == 2


def test_a_finished_run_is_not_executed_again(warehouse: Warehouse) -> None:
    group = make_accounts()
    run = ingest(group)
    warehouse.put(("c", 3.0, "Sion", TUESDAY))
    ran: list[Callable[..., Any]] = []

    again = execute_now(run, show=lambda *_: ran.append(print))

    assert (again.attempts, ran) == (1, [])
    assert len(history_amounts(group)) == 2
