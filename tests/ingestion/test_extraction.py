from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from catalog.value_types import ValueType
from ingestion.extraction import (
    Batch,
    ExtractionRequest,
    Place,
    SourceBusy,
    SourceInvalid,
    SourceNotFound,
    WantedColumn,
    describe,
    extract,
    row_digest,
    sqlite,
    tables,
)
from ingestion.extraction.conversion import convert

Warehouse = Callable[..., Path]


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    def make(ddl: str, rows: Sequence[Sequence[Any]] = (), table: str = "facts") -> Path:
        path = tmp_path / "warehouse.db"
        connection = sqlite3.connect(path)
        connection.execute(ddl)
        if rows:
            marks = ", ".join("?" * len(rows[0]))
            connection.executemany(f'INSERT INTO "{table}" VALUES ({marks})', rows)
        connection.commit()
        connection.close()
        return path

    return make


def wanted(name: str, kind: str = "float", *, source: str | None = None, expression: str | None = None) -> WantedColumn:
    return WantedColumn(f"{name}_v1", name, ValueType(kind), source, expression)


def request_of(path: Path, *columns: WantedColumn, **options: Any) -> ExtractionRequest:
    given: dict[str, Any] = {"kind": "sqlite", "table": "facts", "key_columns": (("customer_id", "id"),)}
    given |= {"timezone": "UTC", **options}
    return ExtractionRequest(location=str(path), columns=columns, **given)


def read(request: ExtractionRequest) -> list[Batch]:
    with extract(request) as extraction:
        return list(extraction)


def only(request: ExtractionRequest) -> Batch:
    (batch,) = read(request)
    return batch


def test_a_table_is_read_as_typed_columns_with_keys_times_and_positions(warehouse: Warehouse) -> None:
    path = warehouse(
        "CREATE TABLE facts (id INTEGER, x REAL, last_updated TEXT)",
        [(2, 1.5, "2026-01-01 10:00:00"), (1, None, "2026-01-02T10:00:00.123456+02:00")],
    )
    batch = only(request_of(path, wanted("x")))
    assert batch.table.to_pylist() == [
        {
            "entity_key": "2",
            "event_timestamp": datetime(2026, 1, 1, 10, tzinfo=UTC),
            "created_timestamp": None,
            "source_row": 0,
            "x_v1": 1.5,
        },
        {
            "entity_key": "1",
            "event_timestamp": datetime(2026, 1, 2, 8, 0, 0, 123456, tzinfo=UTC),
            "created_timestamp": None,
            "source_row": 1,
            "x_v1": None,
        },
    ]
    assert batch.faults == ()


def test_batches_have_at_most_the_rows_asked_for_and_positions_run_on(warehouse: Warehouse) -> None:
    rows = [(n, float(n), "2026-01-01") for n in range(7)]
    path = warehouse("CREATE TABLE facts (id INTEGER, x REAL, last_updated TEXT)", rows)
    batches = read(request_of(path, wanted("x"), batch_rows=3))
    assert [batch.table.num_rows for batch in batches] == [3, 3, 1]
    assert [n for batch in batches for n in batch.table["source_row"].to_pylist()] == list(range(7))
    assert batches[1].raw_row(4) == {"id": 4, "x": 4.0, "last_updated": "2026-01-01"}


def test_a_column_that_the_table_lacks_is_told_with_the_nearest_and_does_not_stop_the_others(
    warehouse: Warehouse,
) -> None:
    path = warehouse("CREATE TABLE facts (id INTEGER, balance_mean REAL, last_updated TEXT)", [(1, 2.0, "2026-01-01")])
    with extract(request_of(path, wanted("balance_sum"), wanted("balance_mean"))) as extraction:
        (batch,) = extraction
    assert extraction.missing == {
        "balance_sum_v1": "source table facts has no column balance_sum; nearest columns: balance_mean"
    }
    assert batch.table["balance_sum_v1"].to_pylist() == [None]
    assert batch.table["balance_sum_v1"].type == pa.float64()
    assert batch.table["balance_mean_v1"].to_pylist() == [2.0]


def test_integers_above_2_53_stay_exact_beside_nulls(warehouse: Warehouse) -> None:
    big = 2**53 + 1
    path = warehouse(
        "CREATE TABLE facts (id INTEGER, n INTEGER, last_updated TEXT)",
        [(1, big, "2026-01-01"), (2, None, "2026-01-01"), (3, 2**63 - 1, "2026-01-01")],
    )
    batch = only(request_of(path, wanted("n", "integer")))
    assert batch.table["n_v1"].to_pylist() == [big, None, 2**63 - 1]
    assert batch.faults == ()


def test_the_text_that_writers_leave_for_a_missing_value_is_null(warehouse: Warehouse) -> None:
    texts = ["nan", "NaN", "None", "null", "", "Good"]
    rows = [(n, text, "2026-01-01") for n, text in enumerate(texts)]
    path = warehouse("CREATE TABLE facts (id INTEGER, category TEXT, last_updated TEXT)", rows)
    batch = only(request_of(path, wanted("category", "string")))
    assert batch.table["category_v1"].to_pylist() == [None] * 5 + ["Good"]
    assert batch.faults == ()


def test_values_of_another_type_are_null_and_told_row_by_row(warehouse: Warehouse) -> None:
    path = warehouse(
        "CREATE TABLE facts (id INTEGER, x, n, last_updated TEXT)",
        [(1, "12abc", 1.5, "2026-01-01"), (2, "12.5", 3.0, "2026-01-01")],
    )
    batch = only(request_of(path, wanted("x"), wanted("n", "integer")))
    assert batch.table["x_v1"].to_pylist() == [None, 12.5]
    assert batch.table["n_v1"].to_pylist() == [None, 3]
    assert [(f.source_row, f.feature, f.rule, f.message, f.raw) for f in batch.faults] == [
        (0, "x", "type", "'12abc' is not a number", "12abc"),
        (0, "n", "type", "1.5 has a fraction and so is no integer", 1.5),
    ]


def test_broken_keys_and_timestamps_are_faults_of_their_rows(warehouse: Warehouse) -> None:
    path = warehouse(
        "CREATE TABLE facts (id, x REAL, last_updated TEXT)",
        [
            (None, 1.0, "2026-01-01"),
            (1.5, 1.0, "2026-01-01"),
            (3, 1.0, "yesterday"),
            (4, 1.0, None),
            (5.0, 1.0, "2026-01-01"),
        ],
    )
    batch = only(request_of(path, wanted("x")))
    assert batch.table["entity_key"].to_pylist() == [None, None, "3", "4", "5"]
    assert [(f.source_row, f.rule) for f in batch.faults] == [
        (0, "key"),
        (1, "key"),
        (2, "timestamp"),
        (3, "timestamp"),
    ]
    assert "last_updated is empty" in batch.faults[3].message


def test_composite_keys_are_encoded_without_collisions(warehouse: Warehouse) -> None:
    path = warehouse(
        "CREATE TABLE facts (a TEXT, b TEXT, last_updated TEXT)", [("1", "23", "2026-01-01"), ("12", "3", "2026-01-01")]
    )
    batch = only(request_of(path, key_columns=(("left", "a"), ("right", "b"))))
    assert batch.table["entity_key"].to_pylist() == ["1|23", "12|3"]


@pytest.mark.parametrize(
    ("columns", "chosen"),
    [
        ("created_date TEXT, last_updated TEXT", "last_updated"),
        ("created_date TEXT, updated_date TEXT", "updated_date"),
        ("created_date TEXT, event_timestamp TEXT", "event_timestamp"),
    ],
)
def test_the_usual_timestamp_columns_are_looked_for_in_order(warehouse: Warehouse, columns: str, chosen: str) -> None:
    path = warehouse(f"CREATE TABLE facts (id INTEGER, {columns})")
    with extract(request_of(path)) as extraction:
        assert extraction.timestamp_column == chosen


def test_without_any_timestamp_column_the_error_says_what_to_declare(warehouse: Warehouse) -> None:
    path = warehouse("CREATE TABLE facts (id INTEGER, day TEXT)")
    with pytest.raises(SourceInvalid, match="timestamp_column of the group; its columns: id, day"):
        extract(request_of(path))


def test_times_without_a_zone_are_taken_in_the_declared_one_or_refused(warehouse: Warehouse) -> None:
    path = warehouse("CREATE TABLE facts (id INTEGER, last_updated TEXT)", [(1, "2026-07-01 12:00:00")])
    paris = only(request_of(path, timezone="Europe/Paris"))
    assert paris.table["event_timestamp"][0].as_py() == datetime(2026, 7, 1, 10, tzinfo=UTC)
    refused = only(request_of(path, timezone=None))
    assert refused.table["event_timestamp"][0].as_py() is None
    assert "carries no time zone" in refused.faults[0].message


def test_created_since_leaves_out_older_rows_and_keeps_those_it_cannot_judge(warehouse: Warehouse) -> None:
    path = warehouse(
        "CREATE TABLE facts (id INTEGER, last_updated TEXT, made TEXT)",
        [
            (1, "2026-01-01", "2026-01-01 00:00:00"),
            (2, "2026-01-01", "2026-03-01T00:00:00Z"),
            (3, "2026-01-01", "2026-02-28 23:59:59"),
            (4, "2026-01-01", None),
            (5, "2026-01-01", "soon"),
        ],
    )
    since = datetime(2026, 3, 1, tzinfo=UTC)
    batch = only(request_of(path, created_column="made", changed_since=since))
    assert batch.table["entity_key"].to_pylist() == ["2", "4", "5"]
    assert [fault.source_row for fault in batch.faults] == [batch.table["source_row"][2].as_py()]
    assert batch.raw_row(batch.faults[0].source_row)["made"] == "soon"


def test_expressions_are_evaluated_over_the_columns_of_the_source(warehouse: Warehouse) -> None:
    path = warehouse(
        "CREATE TABLE facts (id INTEGER, balance REAL, salary REAL, last_updated TEXT)",
        [(1, 10.0, 4.0, "2026-01-01"), (2, None, 4.0, "2026-01-01")],
    )
    ratio = wanted("ratio", expression="balance / salary")
    lacking = wanted("lacking", expression="balanse * 2")
    with extract(request_of(path, ratio, lacking)) as extraction:
        (batch,) = extraction
    assert batch.table["ratio_v1"].to_pylist() == [2.5, None]
    assert extraction.missing["lacking_v1"].startswith(
        "source table facts has no column balanse; nearest columns: balance"
    )


def test_an_expression_cannot_read_files(warehouse: Warehouse) -> None:
    path = warehouse("CREATE TABLE facts (id INTEGER, last_updated TEXT)", [(1, "2026-01-01")])
    with extract(request_of(path, wanted("x", expression="(SELECT count(*) FROM '/etc/passwd')"))) as extraction:
        assert "not allowed" in extraction.missing["x_v1"]


def test_names_that_sql_would_stumble_over_are_only_names(warehouse: Warehouse) -> None:
    path = warehouse(
        'CREATE TABLE "fa""cts; DROP TABLE x" ("i d" INTEGER, "select" REAL, last_updated TEXT)',
        [(1, 2.0, "2026-01-01")],
        'fa""cts; DROP TABLE x',
    )
    batch = only(
        request_of(
            path, wanted("s", source="select"), table='fa"cts; DROP TABLE x', key_columns=(("customer_id", "i d"),)
        )
    )
    assert batch.table["s_v1"].to_pylist() == [2.0]


def test_a_view_is_read_like_a_table(warehouse: Warehouse) -> None:
    path = warehouse("CREATE TABLE base (id INTEGER, x REAL, last_updated TEXT)", [(1, 2.0, "2026-01-01")], "base")
    connection = sqlite3.connect(path)
    connection.execute("CREATE VIEW facts AS SELECT * FROM base")
    connection.close()
    assert only(request_of(path, wanted("x"))).table["x_v1"].to_pylist() == [2.0]


def test_the_read_sees_one_state_while_another_writes(warehouse: Warehouse) -> None:
    rows = [(n, float(n), "2026-01-01") for n in range(10)]
    path = warehouse("CREATE TABLE facts (id INTEGER, x REAL, last_updated TEXT)", rows)
    writer = sqlite3.connect(path)
    writer.execute("PRAGMA journal_mode = WAL")
    with extract(request_of(path, wanted("x"), batch_rows=4)) as extraction:
        first = next(extraction)
        writer.execute("UPDATE facts SET x = -1")
        writer.execute("INSERT INTO facts VALUES (99, 99, '2026-01-01')")
        writer.commit()
        rest = list(extraction)
    writer.close()
    read_values = [value for batch in (first, *rest) for value in batch.table["x_v1"].to_pylist()]
    assert read_values == [float(n) for n in range(10)]


def test_a_locked_database_heals(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.05)
    path = warehouse("CREATE TABLE facts (id INTEGER, last_updated TEXT)", [(1, "2026-01-01")])
    writer = sqlite3.connect(path)
    writer.execute("BEGIN EXCLUSIVE")
    with pytest.raises(SourceBusy) as caught:
        extract(request_of(path))
    writer.close()
    assert caught.value.heals


def test_what_is_not_there_is_named_with_what_is(warehouse: Warehouse, tmp_path: Path) -> None:
    path = warehouse("CREATE TABLE facts (id INTEGER, last_updated TEXT)")
    with pytest.raises(SourceNotFound, match="nearest tables: facts"):
        describe(Place("sqlite", str(path)), "fact")
    with pytest.raises(SourceNotFound, match=r"nearest files in its folder: warehouse\.db"):
        describe(Place("sqlite", str(tmp_path / "warehous.db")), "facts")
    with pytest.raises(SourceInvalid, match="no column customer; its columns: id, last_updated"):
        extract(request_of(path, key_columns=(("customer_id", "customer"),)))
    with pytest.raises(SourceInvalid, match="'oracle' is no kind of source"):
        tables(Place("oracle", "x"))


def test_a_file_that_is_no_database_is_said_to_be_none(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.db"
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(SourceInvalid, match="not a database"):
        describe(Place("sqlite", str(path)), "facts")


def test_describe_tells_columns_types_and_rows(warehouse: Warehouse) -> None:
    path = warehouse("CREATE TABLE facts (id INTEGER, x REAL, last_updated TIMESTAMP)", [(1, 2.0, "2026-01-01")])
    table = describe(Place("sqlite", str(path)), "facts")
    assert table.columns == {"id": "INTEGER", "x": "REAL", "last_updated": "TIMESTAMP"}
    assert table.row_count == 1


def test_csv_values_are_text_until_they_are_read_as_declared(tmp_path: Path) -> None:
    (tmp_path / "facts.csv").write_text(
        "id,n,flag,x,last_updated\n007,9007199254740993,yes,1e3,2026-01-01\n8,,no,abc,2026-01-02 03:04:05\n"
    )
    columns = (wanted("n", "integer"), wanted("flag", "boolean"), wanted("x"))
    batch = only(request_of(tmp_path, *columns, kind="csv"))
    assert batch.table["entity_key"].to_pylist() == ["007", "8"]
    assert batch.table["n_v1"].to_pylist() == [9007199254740993, None]
    assert batch.table["flag_v1"].to_pylist() == [True, False]
    assert batch.table["x_v1"].to_pylist() == [1000.0, None]
    assert [(f.source_row, f.feature) for f in batch.faults] == [(1, "x")]
    assert describe(Place("csv", str(tmp_path)), "facts").row_count == 2


def test_a_csv_file_with_a_torn_row_is_refused(tmp_path: Path) -> None:
    (tmp_path / "facts.csv").write_text("id,last_updated\n1,2026-01-01\n2,2026-01-01,3,4\n")
    with pytest.raises(SourceInvalid, match="cannot be read"):
        read(request_of(tmp_path, kind="csv"))


def test_parquet_columns_keep_their_types_and_lists(tmp_path: Path) -> None:
    moments = pa.array([1_767_225_600_000_000_123, 1_767_312_000_000_000_000], pa.timestamp("ns"))
    table = pa.table(
        {
            "id": pa.array([1, 2], pa.int32()),
            "embedding": pa.array([[0.5, 1.0], None], pa.list_(pa.float32())),
            "city": pa.array(["Paris", "nan"]).dictionary_encode(),
            "x": pa.array([math.nan, 2.0]),
            "last_updated": moments,
        }
    )
    (tmp_path / "facts").mkdir()
    pq.write_table(table.slice(0, 1), tmp_path / "facts" / "part-0.parquet")
    pq.write_table(table.slice(1), tmp_path / "facts" / "part-1.parquet")
    columns = (wanted("embedding", "float_list"), wanted("city", "string"), wanted("x"))
    batches = read(request_of(tmp_path, *columns, kind="parquet"))
    rows = [row for batch in batches for row in batch.table.to_pylist()]
    assert [row["entity_key"] for row in rows] == ["1", "2"]
    assert [row["embedding_v1"] for row in rows] == [[0.5, 1.0], None]
    assert [row["city_v1"] for row in rows] == ["Paris", None]
    assert [row["x_v1"] for row in rows] == [None, 2.0]
    assert [row["event_timestamp"].day for row in rows] == [1, 2]


NOTHING = object()


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("float", "1_000", NOTHING),
        ("float", "1,000", NOTHING),
        ("float", True, NOTHING),
        ("float", " 2.5 ", 2.5),
        ("float", "-inf", -math.inf),
        ("float", 10**400, NOTHING),
        ("integer", "12.0", 12),
        ("integer", "1e3", 1000),
        ("integer", "1e400", NOTHING),
        ("integer", 2.0**60, NOTHING),
        ("integer", 2**63, NOTHING),
        ("boolean", 1, True),
        ("boolean", 0.0, False),
        ("boolean", "No", False),
        ("boolean", 2, NOTHING),
        ("string", 42.0, "42"),
        ("string", b"\xff", NOTHING),
        ("string", "a\x00b", NOTHING),
        ("timestamp", 1_767_225_600, datetime(2026, 1, 1, tzinfo=UTC)),
        ("timestamp", 1_767_225_600_000, NOTHING),
        ("timestamp", 20260101, NOTHING),
        ("timestamp", "2026-13-01", NOTHING),
        ("timestamp", "2026-01-01", datetime(2026, 1, 1, tzinfo=UTC)),
        ("timestamp", "2026-01-01T00:00:00Z", datetime(2026, 1, 1, tzinfo=UTC)),
        ("timestamp", "0001-01-01 00:00:00+14:00", NOTHING),
        ("float_list", "[1, null, 2.5]", [1.0, None, 2.5]),
        ("float_list", "1,2", NOTHING),
    ],
)
def test_every_type_takes_what_means_it_and_nothing_else(kind: str, value: object, expected: object) -> None:
    column = np.empty(2, dtype=object)
    column[0], column[1] = value, None
    converted = convert(column, ValueType(kind), zone_name="UTC")
    if expected is NOTHING:
        assert converted.values.to_pylist() == [None, None]
        assert [at for at, _ in converted.faults] == [0]
    else:
        assert converted.values.to_pylist() == [expected, None]
        assert converted.faults == ()


def test_mixed_objects_give_the_same_as_one_by_one() -> None:
    column = np.array([1, 2.5, "3", None, pd.NaT, float("nan")], dtype=object)
    assert convert(column, ValueType.FLOAT).values.to_pylist() == [1.0, 2.5, 3.0, None, None, None]


def test_the_digest_of_a_row_does_not_depend_on_the_order_of_its_columns() -> None:
    assert row_digest({"a": 1, "b": None}) == row_digest({"b": None, "a": 1})
    assert row_digest({"a": 1}) != row_digest({"a": "1"})
