"""Loading the demo bank from the home page: a task of a worker, which says how far it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from logging import getLogger
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from catalog.access import Capability, Reader, may
from catalog.actor import acting
from catalog.audit import record, snapshot
from catalog.clock import living_at, machine_time, now
from catalog.errors import Conflict, PermissionDenied
from catalog.models import Feature, FeatureGroup
from ingestion.applying import apply_configuration, configured
from ingestion.demo_bank import replay_demo_bank, replay_to_do
from ingestion.models import DemoLoad, IngestionRun, RunState
from ingestion.runs import request_run

log = getLogger(__name__)

# A day of the demo takes seconds; a worker that is silent for longer has died.
SILENT = timedelta(minutes=3)


def demo_is_wanted() -> bool:
    """Whether the configuration reads the warehouse of the demo, so that the demo can be what fills the store."""
    return Path(settings.FEATURESTORE.input_sources.step6_datawarehouse).is_relative_to(_folder())


def request_demo(*, user: Reader, wake: Callable[[int], None]) -> DemoLoad:
    """Ask for the demo; ``wake`` is called with its id after the transaction has committed.

    :raises PermissionDenied: for those who do not administer the store.
    :raises Conflict: when the store is not empty, reads another warehouse, or is being filled.
    """
    if not may(user, Capability.ADMINISTER):
        raise PermissionDenied("the demo is loaded by an administrator")
    if not demo_is_wanted():
        raise Conflict("the configuration names a warehouse of your own; the demo is for a store without one")
    with transaction.atomic():
        newest = DemoLoad.objects.select_for_update().first()
        is_waiting = newest is not None and newest.is_open and machine_time() - newest.seen_at < SILENT
        if is_waiting:
            raise Conflict("the demo is being loaded")
        # One that was cut short is gone on with; otherwise what is there is not mixed with a demo.
        is_begun = newest is not None and newest.state != RunState.SUCCEEDED
        if not is_begun and (Feature.objects.exists() or IngestionRun.objects.exists()):
            raise Conflict("the store is not empty; the demo is for a new one")
        DemoLoad.objects.filter(state__in=(RunState.QUEUED, RunState.RUNNING)).update(state=RunState.CANCELLED)
        load = DemoLoad.objects.create(
            requested_by=user.get_username(), created_at=machine_time(), seen_at=machine_time()
        )
        record(action="load demo", instance=load, after=snapshot(load, ["requested_by"]))
        transaction.on_commit(lambda: wake(load.pk))
    return load


def load_demo(load_id: int, *, wake: Callable[..., None] | None = None) -> None:
    """Live through the days of the demo, then ask for a run of every group. Of two workers, one does it."""
    mine = DemoLoad.objects.filter(pk=load_id)
    dead = Q(state=RunState.RUNNING, seen_at__lt=machine_time() - SILENT)
    if not mine.filter(Q(state=RunState.QUEUED) | dead).update(state=RunState.RUNNING, seen_at=machine_time()):
        return
    try:
        with acting(None, "demo"):
            replay = replay_to_do(folder=_folder())
            if replay is not None:
                mine.update(days=replay.days, done=replay.done, seen_at=machine_time())
                with living_at(replay.begin):
                    apply_configuration(configured())
                replay_demo_bank(replay, progress=lambda done: mine.update(done=done, seen_at=machine_time()))
            for group in FeatureGroup.objects.ingested():
                request_run(group=group, trigger="demo", wake=wake)
    except Exception as error:
        mine.update(state=RunState.FAILED, error=str(error)[:2000], seen_at=machine_time())
        raise
    mine.update(state=RunState.SUCCEEDED, seen_at=machine_time())
    log.info("the demo is loaded as of %s", now())


def _folder() -> Path:
    return Path(settings.FEATURESTORE.data_dir) / "demo"
