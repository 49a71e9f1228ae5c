"""What the embedded engine may use when the store itself reads a history."""

from __future__ import annotations

from django.conf import settings

from serving.point_in_time import EngineLimits


def configured_limits() -> EngineLimits:
    """``feature_store.history_memory_limit``; beyond it the engine spills to the cache folder."""
    configured = settings.FEATURESTORE.feature_store
    return EngineLimits(
        memory_limit=configured.history_memory_limit, temp_directory=str(configured.cache_path / "spill")
    )
