"""The right to build one training dataset, so that two workers never finish the same one, on any database.

It is taken by one conditional UPDATE of the dataset's row and renewed while the work goes on. Every taking counts
``attempts`` up, and whoever finishes must still be at the count that it took: one who was given up for dead and comes
back changes nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from logging import getLogger
from typing import Any
from uuid import UUID

from django.db import DatabaseError, connection
from django.db.models import F, Q, QuerySet

from catalog.clock import machine_time, now
from serving.models import DatasetState, TrainingDataset
from serving.processes import is_dead, this_process

TIME_TO_LIVE = timedelta(seconds=60)
_RENEWAL_SECONDS = TIME_TO_LIVE.total_seconds() / 4

log = getLogger(__name__)


@dataclass(frozen=True)
class Claim:
    """Who builds: the dataset, and which attempt this is."""

    dataset_id: UUID
    attempt: int


def claim(dataset: TrainingDataset) -> Claim | None:
    """The right to build ``dataset``, or None while another has it or it is finished."""
    at = machine_time()
    free = Q(state=DatasetState.QUEUED) | Q(state=DatasetState.RUNNING, builder_until__lte=at)
    if dataset.is_being_built(at) and is_dead(dataset.builder):
        free |= Q(state=DatasetState.RUNNING, builder=dataset.builder)
    taken = TrainingDataset.objects.filter(
        free, pk=dataset.pk, attempts=dataset.attempts, archived_at__isnull=True
    ).update(
        state=DatasetState.RUNNING,
        attempts=F("attempts") + 1,
        builder=this_process(),
        builder_until=at + TIME_TO_LIVE,
        started_at=now(),
        progress=0.0,
        error="",
    )
    return Claim(dataset_id=dataset.pk, attempt=dataset.attempts + 1) if taken else None


def own(held: Claim) -> QuerySet[TrainingDataset]:
    """The row, for as long as the right is held."""
    return TrainingDataset.objects.filter(
        pk=held.dataset_id, attempts=held.attempt, state=DatasetState.RUNNING, builder=this_process()
    )


def update(held: Claim, **fields: Any) -> bool:
    """Change the row if the right is still held."""
    return own(held).update(**fields) == 1


def renew(held: Claim) -> bool:
    """Keep the right for another while; False when it was lost."""
    return update(held, builder_until=machine_time() + TIME_TO_LIVE)


@contextmanager
def kept_alive(held: Claim) -> Iterator[None]:
    """Renew the right from a thread for as long as the block runs; it dies with the process."""
    stop = threading.Event()

    def beat() -> None:
        try:
            while not stop.wait(_RENEWAL_SECONDS):
                try:
                    if not renew(held):
                        return
                except DatabaseError:
                    log.warning("claim of dataset %s not renewed this time", held.dataset_id, exc_info=True)
        finally:
            connection.close()

    thread = threading.Thread(target=beat, name=f"dataset-{held.dataset_id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
