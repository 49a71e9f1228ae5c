"""The right to write a group, so that two runs of one group never overlap, on any database.

A lease is a row that is taken by one conditional UPDATE. Its epoch grows with every taking and fences the writes:
the offline commit carries it (see :mod:`serving.stores.offline`) and the SQL transaction of a run asserts it, so a
holder that was given up for dead and comes back cannot write.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from logging import getLogger
from uuid import UUID

from django.db import DatabaseError, connection
from django.db.models import F, Q, QuerySet

from catalog.clock import machine_time as now
from catalog.models import FeatureGroup
from ingestion.models import GroupLease
from serving.processes import is_dead, this_process
from serving.stores.offline import LeaseLost

TIME_TO_LIVE = timedelta(seconds=60)
_RENEWAL_SECONDS = TIME_TO_LIVE.total_seconds() / 4

__all__ = ["Lease", "LeaseLost", "acquire", "assert_held", "holder_of", "kept_alive", "release", "renew"]

log = getLogger(__name__)


@dataclass(frozen=True)
class Lease:
    group_id: int
    run_id: UUID
    epoch: int


def acquire(group: FeatureGroup, *, run_id: UUID) -> Lease | None:
    """The right to write ``group``, or None while another run holds it."""
    at = now()
    row, _ = GroupLease.objects.get_or_create(group=group)
    free = Q(holder__isnull=True) | Q(expires_at__lte=at)
    if row.is_held(at) and is_dead(row.process):
        free |= Q(holder=row.holder, epoch=row.epoch)
    taken = GroupLease.objects.filter(free, group=group, epoch=row.epoch).update(
        epoch=F("epoch") + 1, holder=run_id, process=this_process(), expires_at=at + TIME_TO_LIVE
    )
    return Lease(group_id=group.pk, run_id=run_id, epoch=row.epoch + 1) if taken else None


def holder_of(group: FeatureGroup) -> UUID | None:
    """The run that holds the group now, if any does."""
    row = GroupLease.objects.filter(group=group).first()
    return row.holder if row is not None and row.is_held(now()) and not is_dead(row.process) else None


def renew(lease: Lease) -> bool:
    """Keep the lease for another while; False when it was lost."""
    return _own(lease).update(expires_at=now() + TIME_TO_LIVE) == 1


def assert_held(lease: Lease) -> None:
    """Within a transaction: make sure that no other run takes the group until it ends.

    :raises LeaseLost: when another run has taken it already.
    """
    if not renew(lease):
        raise LeaseLost("another run has taken over the group since this one began")


def release(lease: Lease) -> None:
    """Give the lease back; nothing happens when it was lost."""
    _own(lease).update(holder=None, process="", expires_at=None)


@contextmanager
def kept_alive(lease: Lease) -> Iterator[None]:
    """Renew the lease from a thread for as long as the block runs; it dies with the process."""
    stop = threading.Event()

    def beat() -> None:
        try:
            while not stop.wait(_RENEWAL_SECONDS):
                try:
                    if not renew(lease):
                        return
                except DatabaseError as error:
                    log.warning("lease of group %s not renewed this time: %s", lease.group_id, error)
                    connection.close()  # A broken one stays broken; the next renewal opens another.
        finally:
            connection.close()

    thread = threading.Thread(target=beat, name=f"lease-{lease.run_id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _own(lease: Lease) -> QuerySet[GroupLease]:
    return GroupLease.objects.filter(group_id=lease.group_id, holder=lease.run_id, epoch=lease.epoch)
