"""Which keys belong to a large set of them."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc


def are_among(some: Sequence[str], keys: pa.Array | pa.ChunkedArray | Sequence[str]) -> list[bool]:
    """For each of ``some`` whether it is one of ``keys``."""
    every = keys if isinstance(keys, pa.Array | pa.ChunkedArray) else pa.array(keys, pa.string())
    found: list[bool] = pc.is_in(pa.array(some, pa.string()), value_set=every).to_pylist()
    return found
