"""How much of memory a body takes once it is unpacked, worked out without unpacking it (pure: no Django)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from catalog.errors import InvalidInput, TooLarge

MAX_TABLE_BYTES = 2 * 1024**3
MAX_TABLE_ROWS = 10_000_000
_UNCOUNTABLE = 2**62
_WAY_OUT = "send it in several requests"

Sizes = npt.NDArray[np.int64]


class Budget:
    """What one body may still take; every part is charged before it is unpacked.

    :raises TooLarge: from each method, when the body takes more than a request may.
    """

    def __init__(self) -> None:
        self._rows = 0
        self._bytes = 0

    def charge_rows(self, count: int) -> None:
        self._rows += count
        if self._rows > MAX_TABLE_ROWS:
            raise TooLarge(
                f"the body has {self._rows} rows or more and one request takes {MAX_TABLE_ROWS}; {_WAY_OUT}",
                details={"rows": self._rows, "limit": MAX_TABLE_ROWS},
            )

    def charge_bytes(self, count: int) -> None:
        self._bytes += count
        if self._bytes > MAX_TABLE_BYTES:
            raise TooLarge(
                f"the body unpacks to {self._bytes} bytes or more and one request takes {MAX_TABLE_BYTES}; {_WAY_OUT}",
                details={"bytes": self._bytes, "limit": MAX_TABLE_BYTES},
            )


def unpacked_bytes(array: pa.Array) -> int:
    """The bytes of a valid array once no value is shared: dictionaries, runs and views are counted per row.

    :raises TooLarge: when a column claims more items than one request takes rows, and has no bytes for them.
    :raises InvalidInput: on a type that is not taken.
    """
    width = _width(array.type)
    if width is not None:
        return len(array) * width
    sizes = _sizes(array)
    # A sum beyond 64 bits must not wrap round to something small.
    return int(sizes.sum()) if sizes.sum(dtype=np.float64) < _UNCOUNTABLE else _UNCOUNTABLE


def _sizes(array: pa.Array) -> Sizes:
    """The bytes of each item."""
    kind, count = array.type, len(array)
    width = _width(kind)
    if width is not None:
        return np.full(count, width, np.int64)
    if isinstance(kind, pa.BaseExtensionType):
        return _sizes(array.storage)
    types = pa.types
    if types.is_null(kind) or types.is_dictionary(kind) or types.is_run_end_encoded(kind):
        _check_items(count)
        return _shared_sizes(array)
    if types.is_struct(kind):
        return np.sum([np.ones(count, np.int64), *(_sizes(part) for part in array.flatten())], axis=0)
    if types.is_fixed_size_list(kind):
        _check_items(count)
        _check_items(kind.list_size)
        before = _before(array.values)
        ends = np.arange(array.offset, array.offset + count + 1, dtype=np.int64) * kind.list_size
        return before(ends[1:]) - before(ends[:-1]) + 8
    if types.is_list_view(kind) or types.is_large_list_view(kind):
        before = _before(array.values)
        starts = array.offsets.to_numpy().astype(np.int64)
        return before(starts + array.sizes.to_numpy()) - before(starts) + 8
    if types.is_list(kind) or types.is_large_list(kind) or types.is_map(kind):
        before = (
            _before(pa.StructArray.from_arrays([array.keys, array.items], ["key", "value"]))
            if (types.is_map(kind))
            else _before(array.values)
        )
        return np.diff(before(array.offsets.to_numpy().astype(np.int64))) + 8
    return _text_sizes(array)


def _shared_sizes(array: pa.Array) -> Sizes:
    if pa.types.is_null(array.type):
        return np.ones(len(array), np.int64)
    if pa.types.is_dictionary(array.type):
        sizes = np.append(_sizes(array.dictionary), 0)
        return (
            sizes[array.indices.fill_null(len(sizes) - 1).to_numpy()]
            if len(sizes) > 1
            else np.ones(len(array), np.int64)
        )
    ends = np.clip(array.run_ends.to_numpy().astype(np.int64) - array.offset, 0, len(array))
    return np.repeat(_sizes(array.values), np.diff(ends, prepend=0))


def _text_sizes(array: pa.Array) -> Sizes:
    kind, types = array.type, pa.types
    if types.is_string_view(kind) or types.is_binary_view(kind):
        views = np.frombuffer(array.buffers()[1], np.int32)[::4][array.offset : array.offset + len(array)]
        return np.where(array.is_valid().to_numpy(zero_copy_only=False), views, 0).astype(np.int64) + 8
    if types.is_large_string(kind) or types.is_large_binary(kind) or types.is_string(kind) or types.is_binary(kind):
        return pc.binary_length(array).fill_null(0).to_numpy().astype(np.int64) + 8
    raise InvalidInput(f"the body has a column of the type {kind}, which is not taken")


def _before(values: pa.Array) -> Callable[[Sizes], Sizes]:
    """Tells the bytes of all items before given ones."""
    width = _width(values.type)
    if width is not None:
        return lambda places: places * width
    sums = np.concatenate(([0], np.cumsum(_sizes(values))))
    return lambda places: sums[places]


def _width(kind: pa.DataType) -> int | None:
    """The bytes of an item of a type whose items all take the same and are really there."""
    if pa.types.is_dictionary(kind) or pa.types.is_null(kind) or kind.num_fields:
        return None
    try:
        return max(kind.bit_width // 8, 1)
    except ValueError:
        return None


def _check_items(count: int) -> None:
    if count > MAX_TABLE_ROWS:
        raise TooLarge(
            f"a column of the body has {count} items and one request takes {MAX_TABLE_ROWS}; {_WAY_OUT}",
            details={"items": count, "limit": MAX_TABLE_ROWS},
        )
