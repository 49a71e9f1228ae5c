"""Building a training dataset: pinned when asked for, built once, built again after a builder has died."""

from __future__ import annotations

import os
import subprocess
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pytest
from django.contrib.auth.models import User
from django.db.utils import OperationalError

from catalog.access import Role
from catalog.clock import now
from catalog.errors import Conflict, InvalidInput, PermissionDenied, UnknownReference
from catalog.models import AuditEvent, FeatureGroup, FeatureVersion, LineageEdge, ValueGrant
from serving.datasets import building, claims
from serving.datasets.building import build_dataset, unowned_datasets
from serving.datasets.files import folder_of, read_table
from serving.datasets.opening import open_split
from serving.datasets.splitting import SplitRule
from serving.datasets.verifying import verify_dataset
from serving.key_map import KeyMap
from serving.models import DatasetState, TrainingDataset
from serving.point_in_time import TimeRange
from serving.processes import this_process
from serving.tasks import resume_datasets
from serving.wire.arrow_rows import ArrowRows
from tests.datasets_made import add, asked, day, entity_rows, made, stocked_group
from tests.stocked_store import make_entity, make_feature, make_group, make_service, make_user, put_history

pytestmark = pytest.mark.django_db


@pytest.fixture
def group() -> FeatureGroup:
    return stocked_group()


@pytest.fixture
def sara() -> User:
    return make_user("sara", Role.DATA_SCIENTIST)


def stored(dataset: TrainingDataset) -> pa.Table:
    return read_table(folder_of(dataset.pk) / dataset.result_file)


def values(dataset: TrainingDataset, column: str) -> list[Any]:
    return stored(dataset).column(column).to_pylist()


def test_a_dataset_is_the_entity_rows_with_the_features(group: FeatureGroup, sara: User) -> None:
    dataset = made(sara)

    table = stored(dataset)
    assert table.select(["customer_id", "event_timestamp", "churned"]).equals(entity_rows())
    assert table.column("balance").to_pylist() == [10.0, 20.0, 50.0, None]
    assert table.column("visits").to_pylist() == [1, None, 5, None]
    assert (dataset.row_count, dataset.progress, dataset.attempts, dataset.created_by) == (4, 1.0, 1, "sara")
    assert dataset.columns == [
        {"name": "customer_id", "type": "int64"},
        {"name": "event_timestamp", "type": "timestamp[us, tz=UTC]"},
        {"name": "churned", "type": "bool"},
        {"name": "balance", "type": "double", "feature_id": "customer_balance_v1", "mask": None},
        {"name": "visits", "type": "int64", "feature_id": "customer_visits_v1", "mask": None},
    ]
    assert dataset.byte_count == (folder_of(dataset.pk) / dataset.result_file).stat().st_size
    assert dataset.code_version.startswith("feature-store ")
    [event] = AuditEvent.objects.filter(object_type="trainingdataset")
    assert (event.action, event.object_name) == ("create", "churn training")


def test_entity_rows_of_every_type_are_kept_split_and_verified(group: FeatureGroup, sara: User) -> None:
    extra = {
        "seconds": pa.array([1, None, 2, 3], pa.timestamp("s")),
        "clock": pa.array([1, None, 2, 3], pa.time32("s")),
        "day": pa.array([0, None, 86_400_000, 0], pa.date64()),
        "map": pa.array([[("k", 1)], None, [], []], pa.map_(pa.string(), pa.int64())),
        "deep": pa.array([{"a": [1], "b": {"c": ["x"]}}, None, {"a": None, "b": None}, None]),
        "view": pa.array(["a", None, "b", "c"], pa.string_view()),
        "views": pa.array([["a"], None, [], ["c"]], pa.list_(pa.string_view())),
        "kind": pa.array(["x", None, "x", "y"]).dictionary_encode(),
        "money": pa.array([Decimal("1.10"), None, Decimal("-3.25"), None], pa.decimal128(38, 2)),
        "uuid": pa.array([bytes(16), None, bytes(16), None], pa.uuid()),
    }
    rows = entity_rows()
    for name, column in extra.items():
        rows = rows.append_column(name, column)

    dataset = made(sara, frame=ArrowRows(rows))

    table = stored(dataset)
    for name in extra:
        assert table.column(name).to_pylist() == extra[name].to_pylist()
    assert table.column("balance").to_pylist() == [10.0, 20.0, 50.0, None]
    assert verify_dataset(dataset).identical
    parts = [open_split(dataset, rule=SplitRule(), part=part) for part in ("train", "test")]
    assert sorted(row for part in parts for row in part.column("customer_id").to_pylist()) == [1, 1, 2, 3]
    assert [part.schema for part in parts] == [table.schema] * 2


def test_a_column_without_a_form_in_parquet_is_refused_at_once(group: FeatureGroup, sara: User) -> None:
    thousands = pa.array([Decimal("15000")] * 4, pa.decimal128(20, -3))
    for column in (thousands, pa.array([{}] * 4, pa.struct([]))):
        with pytest.raises(InvalidInput, match="no form in Parquet"):
            asked(sara, frame=ArrowRows(entity_rows().append_column("x", column)))
    assert not TrainingDataset.objects.exists()
    assert not list(folder_of(uuid4()).parent.glob("*"))


def test_everything_is_pinned_at_the_request(group: FeatureGroup, sara: User) -> None:
    before = now()
    dataset = asked(sara)
    add(group, "1", 8, created=now(), balance=80.0, visits=8)
    FeatureGroup.objects.filter(pk=group.pk).update(max_age=timedelta(hours=1))
    balance = group.features.get(name="balance")
    second = FeatureVersion.objects.create(feature=balance, major=2, minor=0, data_type="integer")
    balance.default_version = second
    balance.save()

    build_dataset(dataset.pk)

    dataset.refresh_from_db()
    assert values(dataset, "balance") == [10.0, 20.0, 50.0, None]
    spec = dataset.spec
    assert [(one["feature_id"], one["version"]) for one in spec["features"]] == [
        ("customer_balance_v1", "1.0"),
        ("customer_visits_v1", "1.0"),
    ]
    assert [(one["group"], one["version"], one["max_age"]) for one in spec["tables"]] == [("finance", 3, None)]
    assert spec["known_at"] == spec["at"]
    assert before.isoformat() <= spec["known_at"].replace("Z", "+00:00") <= now().isoformat()


def test_known_at_and_time_range(group: FeatureGroup, sara: User) -> None:
    known = made(sara, known_at=day(5))
    assert values(known, "balance") == [10.0, 20.0, 10.0, None]
    own_time = made(sara, known_at="event_time")
    assert values(own_time, "balance") == [10.0, 20.0, 50.0, None]
    assert own_time.spec["known_at_event_time"] is True
    ranged = made(sara, time_range=TimeRange(start=day(2), end=day(4)))
    assert values(ranged, "balance") == [None, 20.0, None, None]
    later = made(sara, known_at=now() + timedelta(days=1))
    assert later.spec["known_at"] < now().isoformat()


def test_rows_without_a_time_are_taken_at_the_moment_pinned(group: FeatureGroup, sara: User) -> None:
    frame = ArrowRows(pa.table({"customer_id": [1]}))
    assert values(made(sara, frame=frame), "balance") == [50.0]
    assert values(made(sara, frame=frame, at=day(2)), "balance") == [10.0]


def test_an_earlier_table_version(group: FeatureGroup, sara: User) -> None:
    dataset = made(sara, table_versions={"finance": 1})
    assert values(dataset, "balance") == [10.0, None, 10.0, None]
    with pytest.raises(Conflict, match="no version 99"):
        asked(sara, table_versions={"finance": 99})
    with pytest.raises(InvalidInput, match="names others"):
        asked(sara, table_versions={"others": 1})


def test_a_service_and_two_entities(group: FeatureGroup, sara: User) -> None:
    branches = make_group("branches", entity=make_entity("branch", ("country", "number")))
    size = make_feature(branches, "size", "integer")
    put_history(branches, [{"key": "cz|7", "event": day(1), "size_v1": 70}])
    make_service("churn", group.features.get(name="balance").default_version, size)
    rows = pa.table({"customer_id": [1], "country": ["cz"], "number": [7], "event_timestamp": [day(9)]})

    dataset = made(sara, features=None, service="churn", frame=ArrowRows(rows))

    assert (values(dataset, "balance"), values(dataset, "size")) == ([50.0], [70])
    assert dataset.spec["service"] == "churn"
    assert [(one["name"], one["columns"]) for one in dataset.spec["entities"]] == [
        ("customer", ["customer_id"]),
        ("branch", ["country", "number"]),
    ]


def test_one_entity_twice_under_aliases(group: FeatureGroup, sara: User) -> None:
    rows = pa.table({"payer": [1, 2], "payee": [2, 1], "event_timestamp": [day(9), day(9)]})
    key_map = KeyMap({"payer": {"customer_id": "payer"}, "payee": {"customer_id": "payee"}})

    dataset = made(sara, features=["payer.balance", "payee.balance@1"], frame=ArrowRows(rows), key_map=key_map)

    assert (values(dataset, "payer.balance"), values(dataset, "payee.balance@1")) == ([50.0, 20.0], [20.0, 50.0])
    assert [(one["name"], one["columns"]) for one in dataset.spec["entities"]] == [
        ("payer.customer", ["payer"]),
        ("payee.customer", ["payee"]),
    ]
    assert verify_dataset(dataset).identical


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"name": " "}, InvalidInput),
        ({"name": "x" * 201}, InvalidInput),
        ({"name": "two\nlines"}, InvalidInput),
        ({"features": None}, InvalidInput),
        ({"features": ["balanse"]}, UnknownReference),
        ({"frame": ArrowRows(pa.table({"y": [1]}))}, InvalidInput),
        ({"frame": ArrowRows(pa.table({"customer_id": [1.5]}))}, InvalidInput),
        ({"frame": ArrowRows(pa.table({"customer_id": [1], "balance": [1.0]}))}, InvalidInput),
        ({"frame": ArrowRows(pa.table({"customer_id": [1], "event_timestamp": ["yesterday"]}))}, InvalidInput),
    ],
)
def test_what_cannot_be_built_is_refused_at_once(
    changes: dict[str, Any], error: type[Exception], group: FeatureGroup, sara: User
) -> None:
    with pytest.raises(error):
        asked(sara, **changes)
    assert not TrainingDataset.objects.exists()
    assert not list(folder_of(uuid4()).parent.glob("*/*"))


def test_who_may_not_read_values_makes_none(group: FeatureGroup) -> None:
    with pytest.raises(PermissionDenied):
        asked(make_user("stig"))
    assert not TrainingDataset.objects.exists()


def test_rights_that_were_lost_before_building_count(group: FeatureGroup, sara: User) -> None:
    dataset = asked(sara)
    sara.groups.clear()

    build_dataset(dataset.pk)

    dataset.refresh_from_db()
    assert (dataset.state, dataset.error) == (DatasetState.FAILED, "sara may no longer read values")


def test_masks_are_pinned_when_it_is_built(sara: User) -> None:
    people = make_group("people", sensitivity="personal")
    make_feature(people, "surname", "string", mask="partial")
    make_feature(people, "city", "string", sensitivity="internal")
    put_history(people, [{"key": "1", "event": day(1), "surname_v1": "Nováková", "city_v1": "Brno"}])
    plain = made(sara, features=["surname", "city"])
    assert (values(plain, "surname")[2], values(plain, "city")[2]) == ("***vá", "Brno")
    assert [column.get("mask") for column in plain.columns[3:]] == ["partial", None]
    ValueGrant.objects.create(group=people, user=sara)
    assert values(made(User.objects.get(pk=sara.pk), features=["surname"]), "surname")[2] == "Nováková"


def test_lineage_leads_from_the_features(group: FeatureGroup, sara: User) -> None:
    dataset = made(sara)
    edges = LineageEdge.objects.filter(target__kind="dataset").order_by("source__name")
    assert [(edge.source.name, edge.target.name, edge.transformation) for edge in edges] == [
        ("customer_balance_v1", f"churn training/{dataset.pk}", "version 1.0"),
        ("customer_visits_v1", f"churn training/{dataset.pk}", "version 1.0"),
    ]


def test_building_again_changes_nothing(group: FeatureGroup, sara: User) -> None:
    dataset = made(sara)
    file = folder_of(dataset.pk) / dataset.result_file
    stamp = file.stat().st_mtime_ns

    again = build_dataset(dataset.pk)

    assert (again.attempts, again.finished_at, file.stat().st_mtime_ns) == (1, dataset.finished_at, stamp)


def test_two_workers_do_not_both_build(group: FeatureGroup, sara: User) -> None:
    dataset = asked(sara)
    first = claims.claim(dataset)

    assert first is not None
    assert claims.claim(dataset) is None
    dataset.refresh_from_db()
    assert claims.claim(dataset) is None
    assert build_dataset(dataset.pk).state == DatasetState.RUNNING
    assert claims.renew(first)
    assert unowned_datasets() == []


@pytest.mark.parametrize("died", ["process", "host"])
def test_a_killed_build_starts_again(died: str, group: FeatureGroup, sara: User) -> None:
    dataset = asked(sara)
    lost = claims.claim(dataset)
    assert lost is not None
    (folder_of(dataset.pk) / ".data-1.parquet.abc.part").write_bytes(b"half a file")
    gone = subprocess.Popen(["true"])
    gone.wait()
    changes: dict[str, Any] = (
        {"builder": this_process().replace(f":{os.getpid()}", f":{gone.pid}")}
        if died == "process"
        else {"builder": "elsewhere:1", "builder_until": now() - timedelta(seconds=1)}
    )
    TrainingDataset.objects.filter(pk=dataset.pk).update(**changes)
    assert unowned_datasets() == [dataset.pk]

    built = build_dataset(dataset.pk)

    assert (built.state, built.attempts, built.result_file) == (DatasetState.SUCCEEDED, 2, "data-2.parquet")
    assert sorted(path.name for path in folder_of(dataset.pk).iterdir()) == ["data-2.parquet", "entity_rows.parquet"]
    assert not claims.update(lost, state=DatasetState.FAILED)
    assert unowned_datasets() == []


def test_a_builder_that_lost_its_claim_finishes_nothing(
    group: FeatureGroup, sara: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = asked(sara)
    whole = building.joined

    def overtaken(**given: Any) -> pa.Table:
        TrainingDataset.objects.filter(pk=dataset.pk).update(attempts=7, builder="elsewhere:1")
        return whole(**(given | {"progress": None}))

    monkeypatch.setattr(building, "joined", overtaken)
    build_dataset(dataset.pk)

    dataset.refresh_from_db()
    assert (dataset.state, dataset.attempts, dataset.content_hash) == (DatasetState.RUNNING, 7, "")
    assert not LineageEdge.objects.exists()


def test_what_heals_is_tried_again_and_given_up_in_the_end(
    group: FeatureGroup, sara: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = asked(sara)

    def locked(**_: Any) -> pa.Table:
        raise OperationalError("database is locked")

    with monkeypatch.context() as patched:
        patched.setattr(building, "joined", locked)
        for attempt in range(1, building.MAX_ATTEMPTS):
            built = build_dataset(dataset.pk)
            assert (built.state, built.attempts, built.error) == (DatasetState.QUEUED, attempt, "database is locked")
        assert build_dataset(dataset.pk).state == DatasetState.FAILED
    assert "given up after 5 attempts" in TrainingDataset.objects.get().error


def test_a_failure_says_its_reason(group: FeatureGroup, sara: User, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = asked(sara)
    folder_of(dataset.pk).joinpath("entity_rows.parquet").write_bytes(b"no parquet")

    built = build_dataset(dataset.pk)

    assert built.state == DatasetState.FAILED
    assert "entity_rows.parquet of the training dataset cannot be read" in built.error
    assert built.finished_at is not None


def test_what_was_lost_is_woken_again(group: FeatureGroup, sara: User, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = asked(sara)
    woken: list[object] = []
    monkeypatch.setattr("serving.tasks.wake_builder", woken.append)

    resume_datasets()

    assert woken == [dataset.pk]
