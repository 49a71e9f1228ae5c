"""What the embedded engine may use when the store itself reads a history."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
from django.conf import settings

from catalog.sizes import parse_size
from serving.point_in_time import EngineLimits
from serving.spilled_tables import gathered


def configured_limits() -> EngineLimits:
    """``feature_store.history_memory_limit``; beyond it the engine spills to the cache folder."""
    configured = settings.FEATURESTORE.feature_store
    return EngineLimits(memory_limit=configured.history_memory_limit, temp_directory=str(spill_path()))


def spill_path() -> Path:
    """The folder for what does not fit into memory."""
    folder: Path = settings.FEATURESTORE.feature_store.cache_path / "spill"
    return folder


def memory_limit() -> int:
    """``feature_store.history_memory_limit`` in bytes."""
    return parse_size(settings.FEATURESTORE.feature_store.history_memory_limit)


def most_in_memory() -> int:
    """The bytes of a table that is held in memory beside a retrieval; a larger one lies on disk."""
    return memory_limit() // 16


def gathered_within_limits(parts: Iterable[pa.Table]) -> pa.Table:
    """The parts, of which there is at least one, as one table that takes no more memory than that."""
    return gathered(parts, in_memory=most_in_memory(), folder=spill_path())
