"""Compaction of a group's history, under the group's lease."""

from __future__ import annotations

from collections.abc import Collection

from django.conf import settings

from catalog.models import FeatureGroup
from ingestion import leases
from ingestion.rebuilding import lease_for
from serving.datasets.pinned_versions import pinned_versions_of
from serving.models import MaterializedTable
from serving.stores.compaction import Compacted, compact_history, is_worthwhile
from serving.stores.offline import epoch_of, open_history


def compact_group(group: FeatureGroup, *, timeout: float = 120.0) -> Compacted | None:
    """Make the group's history few sorted files; None when it has none.

    :raises Conflict: when a run still holds the group after ``timeout`` seconds.
    """
    lease = lease_for(group, timeout)
    try:
        with leases.kept_alive(lease):
            before = open_history(group)
            leases.assert_held(lease)
            done = compact_history(
                group,
                # As in an ingestion: the database may have been restored from before the history.
                epoch=max(lease.epoch, epoch_of(before) + 1),
                pinned_versions=_needed_versions(group),
                memory_limit=settings.FEATURESTORE.feature_store.history_memory_limit,
                spill_folder=settings.FEATURESTORE.feature_store.cache_path / "compaction",
            )
            if before is not None and done is not None and done.table_version == before.version + 1:
                # Nothing came in between, so what was materialized is materialized still.
                MaterializedTable.objects.filter(group=group, table_version=before.version).update(
                    table_version=done.table_version, history_bytes=done.bytes_after
                )
            return done
    finally:
        leases.release(lease)


def groups_worth_compacting() -> list[FeatureGroup]:
    """The groups whose history lies in many more files than it needs."""
    found = []
    for group in FeatureGroup.objects.ingested().select_related("entity"):
        history = open_history(group)
        if history is not None and is_worthwhile(history):
            found.append(group)
    return found


def _needed_versions(group: FeatureGroup) -> Collection[int]:
    """The table versions that training datasets pin, and the one that is materialized."""
    materialized = MaterializedTable.objects.filter(group=group).values_list("table_version", flat=True)
    return {*pinned_versions_of(group), *materialized}
