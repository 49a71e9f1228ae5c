"""The numbers of the store, kept for a while: counting them anew for every request would be a load of its own."""

from __future__ import annotations

import hashlib

from django.core.cache import caches
from django.db.models import Max

from catalog.access import Reader, capabilities_of
from catalog.models import AuditEvent
from ingestion.models import IngestionRun
from ingestion.stats import StoreStats, store_stats
from serving.models import MaterializedTable


def recent_stats(*, user: Reader) -> StoreStats:
    """:func:`store_stats`, kept for ``performance.cache_ttl_minutes`` unless the catalog or a run changes.

    ``at`` of the answer says from when it is. What is only ever growing, such as counts of reads, may be that old.
    """
    cache = caches["answers"]
    key = _key(user)
    kept = cache.get(key)
    if isinstance(kept, StoreStats):
        return kept
    stats = store_stats(user=user)
    cache.set(key, stats)
    return stats


def _key(user: Reader) -> str:
    """Names all that decides the answer, but for counts of reads and the time."""
    parts = (
        # Whoever may do the same, sees the same.
        sorted(capabilities_of(user)),
        AuditEvent.objects.order_by("-id").values_list("id", flat=True).first(),
        IngestionRun.objects.aggregate(newest=Max("created_at"))["newest"],
        IngestionRun.objects.unfinished().count(),
        MaterializedTable.objects.aggregate(newest=Max("updated_at"))["newest"],
    )
    return f"stats:{hashlib.sha256(repr(parts).encode()).hexdigest()}"
