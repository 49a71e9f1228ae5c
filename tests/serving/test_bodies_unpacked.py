"""Bodies that claim to be small and unpack to much: refused before they are unpacked (Arrow and Parquet)."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from catalog.errors import InvalidInput, TooLarge
from serving.wire import incoming
from serving.wire.unpacked import unpacked_bytes

LONG = "x" * 1_000_000


def read_arrow_stream(body: bytes, **options: int) -> pa.Table:
    return pa.concat_tables(incoming.read_arrow_stream(body, **options))


def read_parquet(body: bytes) -> pa.Table:
    return pa.concat_tables(incoming.read_parquet(body))


def parquet(table: pa.Table, **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd", **options)
    return sink.getvalue()


def stream(*columns: pa.Array, **options: Any) -> bytes:
    batch = pa.RecordBatch.from_arrays(list(columns), [f"c{number}" for number in range(len(columns))])
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, batch.schema, options=pa.ipc.IpcWriteOptions(allow_64bit=True, **options)) as writer:
        writer.write_batch(batch)
    return sink.getvalue()


def one_long_text(rows: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array([LONG]))


@pytest.mark.parametrize("store_schema", [True, False], ids=["as dictionary", "as text"])
def test_one_text_many_times_in_parquet(store_schema: bool) -> None:
    body = parquet(pa.table({"text": one_long_text(20_000)}), store_schema=store_schema)
    assert len(body) < 100_000
    with pytest.raises(TooLarge):
        read_parquet(body)


def test_one_text_many_times_in_lists_in_parquet() -> None:
    lists = pa.ListArray.from_arrays(pa.array([0, 10_000, 20_000], pa.int32()), one_long_text(20_000))
    body = parquet(pa.table({"texts": lists}), store_schema=False)
    with pytest.raises(TooLarge):
        read_parquet(body)


def test_texts_with_one_beginning_in_parquet() -> None:
    body = parquet(
        pa.table({"text": pa.array(["a", "ab"])}), use_dictionary=False, column_encoding={"text": "DELTA_BYTE_ARRAY"}
    )
    with pytest.raises(TooLarge, match="DELTA_BYTE_ARRAY"):
        read_parquet(body)


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_what_parquet_usually_holds_is_read(version: str) -> None:
    table = pa.table(
        {
            "text": pa.array(["a", None, "b", "a"]),
            "number": pa.array([1.5, None, 2.5, 3.5]),
            "list": pa.array([["a"], [], None, ["b", None]], pa.list_(pa.string())),
            "part": pa.array([{"x": 1, "y": "z"}, None, {"x": 2, "y": "z"}, None]),
            "flag": pa.array([True, False, None, True]),
        }
    )
    assert read_parquet(parquet(table, data_page_version=version)).equals(table)
    many = pa.table({"number": np.arange(300_000), "text": np.arange(300_000).astype(str)})
    assert read_parquet(parquet(many, row_group_size=70_000, data_page_version=version)).equals(many)
    assert read_parquet(parquet(many.slice(0, 0))).num_rows == 0


def test_more_rows_than_a_request_takes() -> None:
    with pytest.raises(TooLarge, match="rows"):
        read_parquet(parquet(pa.table({"flag": np.zeros(10_000_001, np.bool_)})))


ENDLESS = 2**40


def test_a_compressed_batch_is_unpacked_only_where_it_fits() -> None:
    body = stream(pa.array(np.zeros(100_000)), compression="zstd")
    with pytest.raises(TooLarge, match="a batch of the body unpacks to 800000 bytes at once and 799999 are taken"):
        read_arrow_stream(body, most_unpacked=799_999)
    assert read_arrow_stream(body, most_unpacked=800_000).num_rows == 100_000
    assert read_arrow_stream(stream(pa.array(np.zeros(100_000))), most_unpacked=1).num_rows == 100_000


@pytest.mark.parametrize(
    "column",
    [
        pa.Array.from_buffers(pa.null(), ENDLESS, [None], null_count=ENDLESS),
        pa.RunEndEncodedArray.from_arrays(pa.array([ENDLESS], pa.int64()), pa.array(["x"])),
    ],
    ids=["null", "run end encoded"],
)
def test_rows_without_bytes_in_arrow(column: pa.Array) -> None:
    body = stream(column)
    assert len(body) < 1_000
    with pytest.raises(TooLarge, match="rows"):
        read_arrow_stream(body)


@pytest.mark.parametrize("compression", ["zstd", "lz4"])
def test_compressed_arrow_is_measured_before_it_is_unpacked(compression: str) -> None:
    few = stream(pa.array([1.0, None, 3.0]), pa.array(["a", "b", None]).dictionary_encode(), compression=compression)
    assert read_arrow_stream(few).num_rows == 3
    wide = stream(*[pa.array(np.zeros(5_000_000))] * 60, compression=compression)
    assert len(wide) < 16_000_000
    with pytest.raises(TooLarge):
        read_arrow_stream(wide)


@pytest.mark.parametrize(
    "column",
    [
        one_long_text(20_000),
        pa.RunEndEncodedArray.from_arrays(pa.array([20_000], pa.int32()), pa.array([LONG])),
        pa.ListArray.from_arrays(pa.array([0, 20_000], pa.int32()), one_long_text(20_000)),
        pa.ListViewArray.from_arrays(
            pa.array([0] * 20_000, pa.int32()), pa.array([1] * 20_000, pa.int32()), pa.array([LONG])
        ),
        pa.StructArray.from_arrays([one_long_text(20_000)], ["part"]),
    ],
    ids=["dictionary", "runs", "list", "list view", "struct"],
)
def test_one_text_many_times_in_arrow(column: pa.Array) -> None:
    with pytest.raises(TooLarge, match="bytes"):
        read_arrow_stream(stream(column))


def test_a_view_on_one_text_many_times_in_arrow() -> None:
    view = pa.array([LONG], pa.string_view())
    _, views, text = view.buffers()
    repeated = pa.py_buffer(views.to_pybytes()[:16] * 20_000)
    with pytest.raises(TooLarge, match="bytes"):
        read_arrow_stream(stream(pa.Array.from_buffers(pa.string_view(), 20_000, [None, repeated, text])))


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9, 0.99])
def test_damaged_bodies_are_refused_and_nothing_else(kept: float) -> None:
    whole = stream(pa.array(["a", "b"] * 500), pa.array(np.arange(1000)), compression="zstd")
    with pytest.raises(InvalidInput):
        read_arrow_stream(whole[: int(len(whole) * kept)] if kept < 0.95 else whole[:100] + whole[150:])
    file = parquet(pa.table({"text": ["a", "b"] * 500}))
    with pytest.raises(InvalidInput):
        read_parquet(file[: int(len(file) * kept)])


def test_every_use_of_a_value_is_counted() -> None:
    assert unpacked_bytes(pa.array([1, None, 3])) == 24
    assert unpacked_bytes(pa.array(["abcd", None, "ab"])) == 30
    assert unpacked_bytes(pa.array(["abcd", "abcd", None]).dictionary_encode()) == 24
    assert unpacked_bytes(pa.array([[1.0, 2.0], None], pa.list_(pa.float64()))) == 32
    assert unpacked_bytes(pa.array([[("a", 1)], None], pa.map_(pa.string(), pa.int64()))) == 34
    assert unpacked_bytes(pa.array([[1.0, 2.0], [3.0, 4.0]], pa.list_(pa.float64(), 2))) == 48
    assert unpacked_bytes(pa.array([None, None])) == 2
