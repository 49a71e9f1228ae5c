"""Verifying a training dataset: the same again, or which cells differ and why."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from django.contrib.auth.models import User

from catalog.access import Role
from catalog.clock import now
from catalog.errors import Conflict
from catalog.models import FeatureGroup, ValueGrant
from serving.datasets.comparing import DifferingCell, compare
from serving.datasets.files import folder_of, read_table, write_table
from serving.datasets.pinned_versions import pinned_versions_of
from serving.datasets.verifying import TableUsed, verify_dataset
from serving.models import TrainingDataset
from serving.stores import compaction
from serving.stores.offline import history_location, open_history
from serving.wire.arrow_rows import ArrowRows
from tests.datasets_made import add, asked, day, made, stocked_group
from tests.stocked_store import make_feature, make_group, make_user, put_history

pytestmark = pytest.mark.django_db


@pytest.fixture
def group() -> FeatureGroup:
    return stocked_group()


@pytest.fixture
def sara() -> User:
    return make_user("sara", Role.DATA_SCIENTIST)


def change_the_store(group: FeatureGroup) -> None:
    """New values, late values and a correction, as they are learned from now on."""
    learned = now()
    add(group, "1", 20, created=learned, balance=200.0, visits=20)
    add(group, "2", 8, created=learned, balance=80.0, visits=8)
    add(group, "3", 1, created=learned, balance=30.0, visits=3)
    add(group, "1", 5, created=learned, balance=-1.0, visits=-1)


def vacuum(group: FeatureGroup) -> None:
    """Make one file of the history and remove the old ones, as maintenance does."""
    table = DeltaTable(history_location(group))
    table.optimize.compact()
    table.vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False)


def remove(group: FeatureGroup, where: str) -> None:
    DeltaTable(history_location(group)).delete(where)


def test_made_then_the_store_changed_then_verified_identical(group: FeatureGroup, sara: User) -> None:
    dataset = made(sara)
    change_the_store(group)

    report = verify_dataset(dataset)

    assert report.identical
    assert (report.differing_cells, report.differences, report.reasons) == (0, (), ())
    assert report.recomputed_hash == report.content_hash == dataset.content_hash
    assert report.tables == (TableUsed(group="finance", pinned=3, used=3),)
    fresh = made(sara)
    assert fresh.content_hash != dataset.content_hash
    dataset.refresh_from_db()
    assert dataset.verification == json.loads(json.dumps(report.as_json()))
    assert dataset.verified_at == report.checked_at


def test_compaction_that_deletes_old_files_keeps_what_is_pinned(
    group: FeatureGroup, sara: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = made(sara)
    change_the_store(group)
    monkeypatch.setattr(compaction, "OLD_FILES_KEPT", timedelta(0))

    def compacted(pinned: set[int]) -> int:
        done = compaction.compact_history(
            group, epoch=10**6, pinned_versions=pinned, memory_limit="256MB", spill_folder=tmp_path / "spill"
        )
        assert done is not None
        return done.deleted

    assert pinned_versions_of(group) == {3}
    assert compacted(pinned_versions_of(group)) > 0
    report = verify_dataset(dataset)
    assert (report.identical, report.reasons, report.tables) == (True, (), (TableUsed("finance", pinned=3, used=3),))

    TrainingDataset.objects.update(archived_at=now())
    assert pinned_versions_of(group) == set()
    assert compacted(set()) > 0
    report = verify_dataset(dataset)
    assert report.identical
    assert [reason.split(";")[0] for reason in report.reasons] == [
        "version 3 of the history of finance was vacuumed",
    ]


def test_the_known_at_holds_where_the_pinned_version_is_gone(group: FeatureGroup, sara: User) -> None:
    dataset = made(sara)
    change_the_store(group)
    vacuum(group)

    report = verify_dataset(dataset)

    assert report.identical
    newest = open_history(group)
    assert newest is not None
    assert report.tables == (TableUsed(group="finance", pinned=3, used=newest.version),)
    assert [reason.split(";")[0] for reason in report.reasons] == [
        "version 3 of the history of finance was vacuumed",
    ]


def test_both_known_ats_hold_where_the_pinned_version_is_gone(group: FeatureGroup, sara: User) -> None:
    """Entity rows of tomorrow: what is learned after the request is known by their time, and was not by the request."""
    learned, tomorrow = now(), now() + timedelta(days=1)
    add(group, "2", 9, created=learned + timedelta(days=2), balance=90.0, visits=9)
    rows = pa.table({"customer_id": [1, 2], "event_timestamp": pa.array([tomorrow] * 2, pa.timestamp("us", "UTC"))})
    dataset = made(sara, frame=ArrowRows(rows), known_at="event_time")
    change_the_store(group)
    vacuum(group)

    report = verify_dataset(dataset)

    stored = read_table(folder_of(dataset.pk) / dataset.result_file)
    assert stored.column("balance").to_pylist() == [50.0, 20.0]
    assert (report.identical, report.differences) == (True, ())
    assert [reason.split(";")[0] for reason in report.reasons] == ["version 4 of the history of finance was vacuumed"]
    fresh = made(sara, frame=ArrowRows(rows), known_at="event_time")
    assert read_table(folder_of(fresh.pk) / fresh.result_file).column("balance").to_pylist() == [200.0, 80.0]


def test_late_values_with_an_early_created_timestamp_do_not_matter(group: FeatureGroup, sara: User) -> None:
    dataset = made(sara)
    add(group, "1", 2, balance=99.0, visits=99)

    assert verify_dataset(dataset).identical


def test_a_rewritten_history_names_the_cells(group: FeatureGroup, sara: User) -> None:
    dataset = made(sara)
    remove(group, "entity_key = '1' AND event_timestamp >= '2025-01-05T00:00:00Z'")
    vacuum(group)

    report = verify_dataset(dataset)

    assert not report.identical
    assert report.differing_cells == 2
    assert report.differing_columns == {"balance": 1, "visits": 1}
    assert report.differences == (
        DifferingCell(row=2, column="balance", was=50.0, now=10.0),
        DifferingCell(row=2, column="visits", was=5, now=1),
    )
    assert "version 3 of the history of finance was vacuumed" in report.reasons[0]
    assert "the history of finance was rewritten after version 3" in report.reasons[1]


def test_a_deletion_that_is_not_vacuumed_does_not_matter(group: FeatureGroup, sara: User) -> None:
    dataset = made(sara)
    remove(group, "entity_key = '1'")

    assert verify_dataset(dataset).identical


def test_a_history_that_was_made_anew_is_said(group: FeatureGroup, sara: User) -> None:
    dataset = made(sara)
    shutil.rmtree(history_location(group))
    add(group, "1", 1, balance=10.0, visits=1)

    report = verify_dataset(dataset)

    assert not report.identical
    assert report.differing_columns == {"balance": 2, "visits": 1}
    assert "was made anew since, as another table" in report.reasons[0]


def test_a_history_that_is_gone_is_said(group: FeatureGroup, sara: User) -> None:
    dataset = made(sara)
    shutil.rmtree(history_location(group))

    report = verify_dataset(dataset)

    assert report.reasons[0] == "the history of finance is no longer there; it is taken as empty"
    assert report.tables == (TableUsed(group="finance", pinned=3, used=None),)
    assert report.differing_columns == {"balance": 3, "visits": 2}


def test_what_had_no_history_has_none_when_verified(group: FeatureGroup, sara: User) -> None:
    empty = make_group("later")
    make_feature(empty, "score")
    dataset = made(sara, features=["score"])
    put_history(empty, [{"key": "1", "event": day(1), "score_v1": 1.0}])

    report = verify_dataset(dataset)

    assert report.identical
    assert report.tables == (TableUsed(group="later", pinned=None, used=None),)


def test_max_age_and_default_are_those_of_then(group: FeatureGroup, sara: User) -> None:
    FeatureGroup.objects.filter(pk=group.pk).update(max_age=timedelta(days=4))
    dataset = made(sara)
    FeatureGroup.objects.filter(pk=group.pk).update(max_age=timedelta(days=1))
    version = group.features.get(name="balance").default_version
    version.default_value = 7.0
    version.save()

    assert verify_dataset(dataset).identical
    group.refresh_from_db()
    version.refresh_from_db()
    assert (group.max_age, version.default_value) == (timedelta(days=1), 7.0)


def test_masks_are_those_of_then(sara: User, settings: object) -> None:
    people = make_group("people", sensitivity="personal")
    make_feature(people, "surname", "string", mask="hash")
    put_history(people, [{"key": "1", "event": day(1), "surname_v1": "Novák"}])
    dataset = made(sara, features=["surname"])
    ValueGrant.objects.create(group=people, user=sara)

    assert verify_dataset(dataset).identical
    settings.SECRET_KEY = "another " * 10  # type: ignore[attr-defined]  # a fixture of pytest-django
    report = verify_dataset(dataset)
    assert not report.identical
    assert report.reasons == ("surname: masked with another secret now, as the secret key was changed",)


def test_a_stored_file_that_was_changed_is_said(group: FeatureGroup, sara: User) -> None:
    dataset = made(sara)
    path = folder_of(dataset.pk) / dataset.result_file
    table = read_table(path)
    write_table(path, table.set_column(3, "balance", pa.array([10.0, 20.0, 51.0, None])))

    report = verify_dataset(dataset)

    assert not report.identical
    assert report.differences == (DifferingCell(row=2, column="balance", was=51.0, now=50.0),)
    assert "the stored file is not the one that was built" in report.reasons[0]


def test_a_damaged_file_is_said(group: FeatureGroup, sara: User) -> None:
    dataset = made(sara)
    path: Path = folder_of(dataset.pk) / dataset.result_file
    path.write_bytes(b"PAR1 and nothing else")

    report = verify_dataset(dataset)

    assert not report.identical
    assert "cannot be read" in report.reasons[0]


def test_what_is_not_built_is_not_verified(group: FeatureGroup, sara: User) -> None:
    dataset = asked(sara)

    with pytest.raises(Conflict, match="queued"):
        verify_dataset(dataset)
    assert TrainingDataset.objects.get().verification is None


def test_cells_are_compared_with_null_and_nan_as_themselves() -> None:
    nan = float("nan")
    was = pa.table({"a": [1.0, nan, None, 2.0, nan], "b": [[1.0], [nan], None, [2.0], []]})
    again = pa.table({"a": [1.0, nan, None, None, 3.0], "b": [[1.0], [nan], None, [2.5], None]})

    found = compare(was, again, columns=["a", "b"], most=3)

    assert found.counts == {"a": 2, "b": 2}
    assert [(cell.row, cell.column, cell.was, cell.now) for cell in found.first] == [
        (3, "a", 2.0, None),
        (3, "b", [2.0], [2.5]),
        (4, "a", "nan", 3.0),
    ]
