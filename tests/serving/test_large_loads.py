"""Loads that are too large for one transaction go online batch by batch; readers find old rows or new ones."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from catalog.models import FeatureGroup, FeatureVersion, Status
from ingestion.tasks import materialize_due
from serving import materialization, online_rows
from serving.materialization import carry_ahead, commit, materialize_group, prepare
from serving.models import FeatureValue, MaterializedTable
from serving.stores import online
from tests.stocked_store import DAY, make_feature, make_group, put_history

pytestmark = pytest.mark.django_db

KEYS = [f"k{number}" for number in range(25)]


@pytest.fixture(autouse=True)
def ten_rows_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(materialization, "TOGETHER_ROWS", 20)
    monkeypatch.setattr(online_rows, "BATCH_ROWS", 10)


@pytest.fixture
def group() -> FeatureGroup:
    group = make_group("finance")
    make_feature(group, "x")
    make_feature(group, "y")
    return group


def put(group: FeatureGroup, value: float, *, keys: list[str] = KEYS, days: int = 0) -> None:
    """A whole row of the same value in both columns, so that half a row would show."""
    event = DAY + timedelta(days=days)
    put_history(group, [{"key": key, "event": event, "x_v1": value, "y_v1": value} for key in keys])


def values(group: FeatureGroup) -> dict[str, dict[str, Any]]:
    return {row.entity_key: row.values for row in FeatureValue.objects.filter(group=group)}


def whole(value: float) -> dict[str, float]:
    return {"x_v1": value, "y_v1": value}


class _BrokenOffError(Exception):
    """What breaks a load off."""


def break_off_at(batch: int) -> Any:
    left = batch

    def hold() -> None:
        nonlocal left
        left -= 1
        if not left:
            raise _BrokenOffError

    return hold


def test_in_batches_each_held_and_counted(group: FeatureGroup) -> None:
    put(group, 1.0)
    prepared = prepare(group)
    assert prepared is not None
    held: list[int] = []
    written: list[int] = []
    seen: list[int] = []

    carried = carry_ahead(
        prepared,
        hold=lambda: held.append(FeatureValue.objects.count()),
        written=lambda changed: written.append(changed),
        progress=seen.append,
    )

    assert (held, written, seen) == ([0, 10, 20], [10, 10, 5], [10, 10, 5])
    assert (carried.ahead, carried.rows_written) == (True, 25)
    assert not MaterializedTable.objects.exists()
    assert commit(carried).rows_written == 25
    assert MaterializedTable.objects.get().online_rows == 25


def test_a_small_load_waits_for_the_transaction(group: FeatureGroup) -> None:
    put(group, 1.0, keys=KEYS[:20])
    prepared = prepare(group)
    assert prepared is not None

    carried = carry_ahead(prepared, hold=lambda: pytest.fail("there is nothing to hold"))

    assert (carried.ahead, FeatureValue.objects.count()) == (False, 0)
    assert commit(carried).rows_written == 20


@pytest.mark.parametrize("rebuild", [False, True], ids=["new rows", "all rows anew"])
def test_broken_off_and_taken_up_again(group: FeatureGroup, rebuild: bool) -> None:
    put(group, 1.0)
    materialize_group(group)
    put(group, 2.0, days=1)
    prepared = prepare(group, rebuild=rebuild)
    assert prepared is not None

    with pytest.raises(_BrokenOffError):
        carry_ahead(prepared, hold=break_off_at(3))

    assert sorted(found["x_v1"] for found in values(group).values()) == [1.0] * 5 + [2.0] * 20
    assert all(found in (whole(1.0), whole(2.0)) for found in values(group).values())
    assert MaterializedTable.objects.get().table_version == 1

    again = materialize_group(group, rebuild=rebuild)

    assert again is not None
    assert again.rows_written == (25 if rebuild else 5)
    assert values(group) == {key: whole(2.0) for key in KEYS}
    assert MaterializedTable.objects.get().table_version == 2


def test_a_column_that_came_back_is_online_for_all_though_the_first_try_broke_off(group: FeatureGroup) -> None:
    put(group, 1.0)
    version = FeatureVersion.objects.filter(feature__name="y")
    version.update(status=Status.ARCHIVED)
    materialize_group(group)
    version.update(status=Status.ACTIVE)
    prepared = prepare(group)
    assert prepared is not None
    with pytest.raises(_BrokenOffError):
        carry_ahead(prepared, hold=break_off_at(3))
    assert sorted(len(found) for found in values(group).values()) == [1] * 5 + [2] * 20

    materialize_group(group)

    assert values(group) == {key: whole(1.0) for key in KEYS}
    assert not MaterializedTable.objects.get().is_partly_renewed
    again = materialize_group(group)
    assert again is not None
    assert again.rows_written == 0


def test_rows_that_were_lost_are_all_online_again_though_the_first_try_broke_off(group: FeatureGroup) -> None:
    put(group, 1.0)
    materialize_group(group)
    FeatureValue.objects.all().delete()
    prepared = prepare(group)
    assert prepared is not None
    with pytest.raises(_BrokenOffError):
        carry_ahead(prepared, hold=break_off_at(2))
    assert len(values(group)) == 10

    materialize_due()

    assert values(group) == {key: whole(1.0) for key in KEYS}


def test_rows_made_anew_replace_wrong_ones_and_others_go(group: FeatureGroup) -> None:
    put(group, 1.0)
    materialize_group(group)
    FeatureValue.objects.filter(entity_key="k3").update(values=whole(9.0))
    FeatureValue.objects.filter(entity_key="k4").update(event_timestamp=DAY + timedelta(days=9), values=whole(9.0))
    FeatureValue.objects.filter(entity_key="k5").delete()
    for ghost in ("K3", "ghost", "k"):
        FeatureValue.objects.create(
            group=group, entity_key=ghost, values={}, event_timestamp=DAY, created_timestamp=DAY
        )
    other = make_group("habits")
    FeatureValue.objects.create(group=other, entity_key="ghost", values={}, event_timestamp=DAY, created_timestamp=DAY)

    materialize_group(group, rebuild=True)

    assert values(group) == {key: whole(1.0) for key in KEYS}
    assert list(values(other)) == ["ghost"]


def test_others_are_found_however_many_keys_there_are(group: FeatureGroup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.stores.online_writing._KEYS_LOOKED_AT", 5)
    put(group, 1.0)
    materialize_group(group)
    for key in ("", "k1 ", "客", *(f"z{number}" for number in range(12))):
        FeatureValue.objects.create(group=group, entity_key=key, values={}, event_timestamp=DAY, created_timestamp=DAY)

    materialize_group(group, rebuild=True)

    assert set(values(group)) == set(KEYS)


def test_readers_never_find_a_group_emptier(group: FeatureGroup, monkeypatch: pytest.MonkeyPatch) -> None:
    put(group, 1.0)
    materialize_group(group)
    put(group, 2.0, days=1)
    counts: list[int] = []
    write = online.DatabaseOnlineStore._write_batch

    def counting(*arguments: Any, **named: Any) -> int:
        written = write(*arguments, **named)
        counts.append(FeatureValue.objects.filter(group=group).count())
        return written

    monkeypatch.setattr(online.DatabaseOnlineStore, "_write_batch", counting)

    materialize_group(group, rebuild=True)

    assert counts == [25, 25, 25]
