"""An Arrow or Parquet answer is handed on in pieces that are small, however large its batches are."""

from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from serving.wire.outgoing import arrow_stream, parquet_file
from serving.wire.whole import MeasuredArrow

_PIECE = 256 * 1024


def _table(rows: int) -> pa.Table:
    random = np.random.default_rng(3)
    numbers = {
        f"number {column}": pa.array(random.normal(size=rows), mask=random.random(rows) < 0.1) for column in range(6)
    }
    return pa.table({"text": pa.array([f"row {row}" for row in range(rows)]), **numbers})


@pytest.mark.parametrize("rows", [0, 1, 5_000, 100_000])
def test_an_arrow_answer_comes_in_pieces_of_at_most_a_quarter_of_a_mebibyte(rows: int) -> None:
    # Given a table whose batches are larger than a piece, or much smaller
    table = _table(rows)

    # When it is written
    pieces = list(arrow_stream([table]))

    # Then no piece is empty or larger than that, and together they are the table
    assert all(0 < len(piece) <= _PIECE for piece in pieces)
    assert pa.ipc.open_stream(b"".join(pieces)).read_all() == table


def test_few_pieces_are_shorter_than_they_may_be() -> None:
    # Given two batches of some megabytes each
    table = _table(100_000)

    # When they are written
    pieces = [len(piece) for piece in arrow_stream([table])]

    # Then only the schema, the end of each batch and the end of the stream are shorter
    assert len([size for size in pieces if size < _PIECE]) <= 4
    assert sum(pieces) == MeasuredArrow(table).length > 6_000_000


def test_pieces_are_the_bytes_of_the_stream_as_arrow_writes_it() -> None:
    # Given two tables of one schema
    tables = [_table(70_000), _table(30)]
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, tables[0].schema) as writer:
        for table in tables:
            writer.write_table(table, max_chunksize=65_536)

    # When they are written one after the other
    pieces = list(arrow_stream(tables))

    # Then the bytes are those that Arrow itself writes
    assert b"".join(pieces) == sink.getvalue().to_pybytes()


def test_a_parquet_answer_comes_in_such_pieces_too() -> None:
    # Given a table of some megabytes
    table = _table(100_000)

    # When it is written
    pieces = list(parquet_file([table]))

    # Then no piece is empty or larger, and together they are the file
    assert all(0 < len(piece) <= _PIECE for piece in pieces)
    assert pq.read_table(io.BytesIO(b"".join(pieces))) == table
