"""Online rows made anew from history, under the group's lease."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable

from django.conf import settings
from django.db import transaction

from catalog.audit import record
from catalog.clock import now
from catalog.errors import Conflict
from catalog.models import FeatureGroup
from ingestion import leases
from serving import materialization
from serving.models import MaterializedTable


def rebuild_online(
    group: FeatureGroup,
    *,
    whole: bool = True,
    progress: Callable[[int], object] | None = None,
    timeout: float = 120.0,
) -> materialization.Materialized | None:
    """Carry the group's history into the online store: the ``whole`` of it, or what is new.

    None when the group has no history.

    :raises Conflict: when a run still holds the group after ``timeout`` seconds.
    """
    lease = lease_for(group, timeout)
    try:
        with leases.kept_alive(lease):
            prepared = materialization.prepare(group, rebuild=whole)
            if prepared is None:
                return None
            carried = materialization.carry_ahead(prepared, hold=lambda: leases.assert_held(lease), progress=progress)
            with transaction.atomic():
                leases.assert_held(lease)
                done = materialization.commit(carried, progress=progress)
                if whole:
                    after = {"rows": done.rows_written, "table_version": done.table_version}
                    record(action="rebuild online", instance=group, after=after)
            return done
    finally:
        leases.release(lease)


def groups_with_due_events() -> list[FeatureGroup]:
    """The groups of which an event has come that was still in the future when they were materialized."""
    if not settings.FEATURESTORE.serving.online_store_enabled:
        return []
    due = MaterializedTable.objects.filter(next_event__lte=now()).select_related("group__entity")
    return [materialized.group for materialized in due]


def groups_renewed_in_part() -> list[FeatureGroup]:
    """The groups whose rows were being made anew when that was broken off, or still are."""
    if not settings.FEATURESTORE.serving.online_store_enabled:
        return []
    partly = MaterializedTable.objects.filter(is_partly_renewed=True).select_related("group__entity")
    return [materialized.group for materialized in partly]


def lease_for(group: FeatureGroup, timeout: float) -> leases.Lease:
    """The group's lease for work that is no run, waiting for it at most ``timeout`` seconds.

    :raises Conflict: when a run still holds the group then.
    """
    deadline = time.monotonic() + timeout
    holder = uuid.uuid4()
    while (lease := leases.acquire(group, run_id=holder)) is None:
        if time.monotonic() >= deadline:
            raise Conflict(f"run {leases.holder_of(group)} still holds {group.name}; try again when it has ended")
        time.sleep(0.25)
    return lease
