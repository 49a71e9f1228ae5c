"""Entity frames on their way to the server as Arrow, and answers on their way back into pandas.

The caller's frame itself never changes and is never rebuilt from the answer: the feature columns of the answer are set
beside a copy of it. So its index, the order and types of its columns and whatever it carries besides stay as
they were.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow as pa

from feature_store_client.errors import InvalidRequestError, UnexpectedResponseError

ARROW_STREAM_TYPE = "application/vnd.apache.arrow.stream"
EVENT_TIMESTAMP = "event_timestamp"
_INSTANT = pa.timestamp("us", tz="UTC")
# Integers and booleans with nulls would turn into floats and objects in NumPy; these keep them exact.
_NULLABLE_TYPES: dict[pa.DataType, Any] = {
    pa.int8(): pd.Int8Dtype(),
    pa.int16(): pd.Int16Dtype(),
    pa.int32(): pd.Int32Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.uint8(): pd.UInt8Dtype(),
    pa.uint16(): pd.UInt16Dtype(),
    pa.uint32(): pd.UInt32Dtype(),
    pa.uint64(): pd.UInt64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
}

EntityRows: TypeAlias = pd.DataFrame | pa.Table | Iterable[Mapping[str, Any]]


def tabular(rows: EntityRows) -> pd.DataFrame | pa.Table:
    """The entity rows as a frame or table: what is one stays as it is, rows become a table with exact types."""
    return rows if isinstance(rows, pd.DataFrame | pa.Table) else _table_of_rows(rows)


def entity_frame(rows: pd.DataFrame | pa.Table) -> pd.DataFrame:
    """The entity rows as the frame that the answer's features are set beside."""
    return rows if isinstance(rows, pd.DataFrame) else table_to_frame(rows)


def entity_table(rows: pd.DataFrame | pa.Table, *, zone: ZoneInfo) -> pa.Table:
    """The entity rows as they go to the server: every timestamp in UTC microseconds, those without a zone taken
    in ``zone``; ``event_timestamp`` may also be dates (their first moment) or ISO 8601 texts, which stay as they are
    where they have a zone.

    :raises InvalidRequestError: naming the column that has no Arrow form or cannot be placed in time.
    """
    table = _table_of_frame(rows) if isinstance(rows, pd.DataFrame) else rows
    names = table.column_names
    if len(set(names)) != len(names):
        raise InvalidRequestError("two columns of entity_df have the same name")
    if not names:
        raise InvalidRequestError("entity_df has no columns; it needs entity_id or the join keys")
    columns = [_wire_column(name, table.column(name), zone=zone) for name in names]
    return pa.table(columns, names=names)


def refuse_columns_named(references: Sequence[str], *, rows: pd.DataFrame | pa.Table) -> None:
    """``InvalidRequestError`` when an entity column has the name of a feature column of the answer."""
    names = rows.columns if isinstance(rows, pd.DataFrame) else rows.column_names
    _refuse_taken(set(names) & set(references), called="entity_df")


def _refuse_taken(names: Collection[str], *, called: str) -> None:
    if names:
        raise InvalidRequestError(f"{called} already has columns named {', '.join(sorted(names))}; rename or drop them")


def table_to_stream(table: pa.Table) -> bytes:
    """The bytes of an Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def stream_to_table(stream: bytes) -> pa.Table:
    """The table of an Arrow IPC stream; ``UnexpectedResponseError`` when it is none or is cut off."""
    try:
        with pa.ipc.open_stream(stream) as reader:
            return reader.read_all()
    except (pa.ArrowInvalid, OSError) as error:
        raise UnexpectedResponseError(f"the answer is not a whole Arrow stream: {error}") from error


def table_to_frame(table: pa.Table) -> pd.DataFrame:
    """A frame with exact types: integers as Int64, booleans as boolean, timestamps with their zone."""
    frame: pd.DataFrame = table.to_pandas(types_mapper=_NULLABLE_TYPES.get, ignore_metadata=True)
    return frame


def with_features(entities: pd.DataFrame, answer: pa.Table) -> pd.DataFrame:
    """A copy of the entity frame with the columns that the answer has beyond it, row by row in order."""
    if answer.num_rows != len(entities):
        raise UnexpectedResponseError(f"{len(entities)} entity rows were sent, {answer.num_rows} came back")
    lost = [name for name in entities.columns if name not in answer.column_names]
    if lost:
        raise UnexpectedResponseError(f"the answer lacks the entity columns {', '.join(lost)}")
    if len(set(answer.column_names)) != answer.num_columns:
        raise UnexpectedResponseError("two columns of the answer have the same name; rename the entity_df column")
    known = set(entities.columns)
    features = answer.select([name for name in answer.column_names if name not in known])
    return beside(entities, features, called="entity_df")


def beside(entities: pd.DataFrame, features: pa.Table, *, called: str) -> pd.DataFrame:
    """A copy of the entity frame with the feature columns behind its own, row by row in order.

    :raises InvalidRequestError: when a column of the entity frame, ``called`` so, has the name of a feature.
    """
    _refuse_taken(set(entities.columns) & set(features.column_names), called=called)
    columns = table_to_frame(features)
    columns.index = entities.index
    return pd.concat([entities, columns], axis="columns")


def column_of_values(values: Sequence[Any]) -> pd.Series[Any]:
    """JSON values of one feature as a column that keeps integers exact beside nulls."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int}:
        fits = all(-(2**63) <= value < 2**63 for value in values if value is not None)
        return pd.Series(list(values), dtype="Int64" if fits else "object")
    if kinds == {bool}:
        return pd.Series(list(values), dtype="boolean")
    if kinds <= {float, int}:
        return pd.Series(list(values), dtype="float64")
    return pd.Series(list(values)) if kinds == {str} else pd.Series(list(values), dtype="object")


def _table_of_frame(frame: pd.DataFrame) -> pa.Table:
    names: list[object] = list(frame.columns)
    named_otherwise = [name for name in names if not isinstance(name, str)]
    if named_otherwise:
        raise InvalidRequestError(f"column names of entity_df are texts, not {named_otherwise[0]!r}")
    if not frame.columns.is_unique:
        raise InvalidRequestError("two columns of entity_df have the same name")
    columns = []
    for name in frame.columns:
        _refuse_mixed_zones(name, frame[name])
        try:
            columns.append(_plain(pa.array(frame[name], from_pandas=True)))
        except (pa.ArrowException, OverflowError) as error:
            raise _no_arrow_form(name, error) from error
    return pa.table(columns, names=list(frame.columns))


def _plain(column: pa.Array[Any]) -> pa.Array[Any]:
    """Categories as their values: the frame itself keeps what it has."""
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _table_of_rows(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    listed = list(rows)
    if not all(isinstance(row, Mapping) for row in listed):
        raise InvalidRequestError("entity_df is a pandas frame, a pyarrow table, or a list of dicts")
    columns = []
    names = list(dict.fromkeys(name for row in listed for name in row))
    for name in names:
        values = [row.get(name) for row in listed]
        _refuse_mixed_zones(name, pd.Series(values, dtype="object"))
        try:
            columns.append(pa.array(values, from_pandas=True))
        except (pa.ArrowException, OverflowError) as error:
            raise _no_arrow_form(name, error) from error
    return pa.table(columns, names=names)


def _no_arrow_form(name: str, error: Exception) -> InvalidRequestError:
    return InvalidRequestError(
        f"column {name!r} of entity_df has no Arrow form ({error}); give it one type or leave it out"
    )


def _refuse_mixed_zones(name: str, column: pd.Series[Any]) -> None:
    """Arrow would take the ones without a zone as UTC, whatever the client was told."""
    if column.dtype != object:
        return
    zoned = {value.tzinfo is not None for value in column if isinstance(value, datetime) and not pd.isna(value)}
    if len(zoned) > 1:
        raise InvalidRequestError(f"column {name!r} of entity_df mixes times with and without a zone")


def _wire_column(name: str, column: pa.ChunkedArray[Any], *, zone: ZoneInfo) -> pa.ChunkedArray[Any]:
    kind = column.type
    try:
        if name == EVENT_TIMESTAMP and pa.types.is_dictionary(kind):
            column = column.cast(kind.value_type)
        elif name == EVENT_TIMESTAMP and pa.types.is_date(kind):
            column = column.cast(pa.timestamp("us"))
        if name == EVENT_TIMESTAMP and (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
            column = _placed(column, zone=zone)
        return _in_utc(column, zone=zone) if pa.types.is_timestamp(column.type) else column
    except (pa.ArrowException, ValueError) as error:
        raise InvalidRequestError(f"column {name!r} of entity_df cannot be placed in time: {error}") from error


def _placed(column: pa.ChunkedArray[Any], *, zone: ZoneInfo) -> pa.ChunkedArray[Any]:
    """Texts that say of themselves when they are, as they came; others as times that are still to be placed."""
    texts = column.to_pylist()
    moments = [None if text is None else datetime.fromisoformat(text) for text in texts]
    # A date is a day in UTC to the server.
    placed = [
        moment.tzinfo is not None or (zone.key == "UTC" and _is_date(text))
        for text, moment in zip(texts, moments, strict=True)
        if moment is not None
    ]
    if all(placed):
        return column
    if any(moment.tzinfo is not None for moment in moments if moment is not None):
        raise ValueError("some have a zone, some have none")
    return pa.chunked_array([pa.array(moments, type=pa.timestamp("us"))])


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _in_utc(column: pa.ChunkedArray[Any], *, zone: ZoneInfo) -> pa.ChunkedArray[Any]:
    # Value rows have microseconds: nanoseconds beyond them cannot tell two apart and are cut off.
    cut = column.type.unit == "ns"
    if column.type.tz is not None or zone.key == "UTC":
        return column.cast(_INSTANT, safe=not cut)
    # By pandas, because Arrow has no time zones of its own where the system brings none.
    local = pd.DatetimeIndex(column.to_pandas()).tz_localize(zone)
    return pa.chunked_array([pa.array(local.tz_convert("UTC"), from_pandas=True).cast(_INSTANT, safe=not cut)])
