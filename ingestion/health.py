"""Whether the parts that the store needs answer: for probes, cheap enough to be asked every few seconds."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from logging import getLogger
from pathlib import Path

from celery import current_app
from django.conf import settings
from django.db import DatabaseError, connection
from django.utils.module_loading import import_string
from django_celery_beat.models import PeriodicTask
from kombu.exceptions import OperationalError as BrokerUnavailable

from catalog.clock import now
from catalog.errors import Unavailable
from ingestion.models import WAREHOUSE, Source
from serving.lost_rows import emptied_groups
from serving.stores.online import DATABASE, online_store

HEARTBEAT_TASK = "ingestion.tasks.resume_runs"
SILENT = timedelta(minutes=3)

log = getLogger(__name__)


class CheckState(StrEnum):
    PASS = "pass"
    WARN = "warn"  # told, but no reason to send requests elsewhere
    FAIL = "fail"


@dataclass(frozen=True)
class Check:
    state: CheckState
    message: str = ""


@dataclass(frozen=True)
class Health:
    """``healthy`` is false when a part that reading needs does not answer."""

    checks: dict[str, Check]

    @property
    def healthy(self) -> bool:
        return all(check.state is not CheckState.FAIL for check in self.checks.values())

    @property
    def status(self) -> str:
        return "healthy" if self.healthy else "unhealthy"


def store_health() -> Health:
    """Ask every part now: the database, the stores, the broker, the scheduler and the step-6 warehouse.

    Failures are told without addresses or passwords, as anybody may ask; the log says more.
    """
    database = _checked("database", _database)
    checks = {"database": database, "offline_store": _checked("offline store", _offline_store)}
    if settings.FEATURESTORE.feature_store.online_store != DATABASE:
        checks["online_store"] = _checked("online store", _online_store)
    checks["broker"] = _checked("broker", _broker)
    if database.state is CheckState.PASS:
        checks["scheduler"] = _checked("scheduler", _scheduler)
        if settings.FEATURESTORE.integration.upstream.step6_health_check:
            checks["warehouse"] = _checked("warehouse", _warehouse)
    return Health(checks)


def _checked(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except (DatabaseError, OSError, BrokerUnavailable, Unavailable) as error:
        log.warning("the %s does not answer: %s", name, error)
        return Check(CheckState.FAIL, f"the {name} does not answer")


def _database() -> Check:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()
    return Check(CheckState.PASS)


def _offline_store() -> Check:
    location = str(settings.FEATURESTORE.offline_path)
    if "://" in location and not location.startswith("file://"):
        # Only object storage needs Arrow to be asked.
        filesystem, path = import_string("pyarrow.fs.FileSystem").from_uri(location)
        filesystem.get_file_info(import_string("pyarrow.fs.FileSelector")(path, allow_not_found=True))
        return Check(CheckState.PASS)
    folder = Path(location.removeprefix("file://"))
    # Before the first ingestion the folder is not there yet, and the one above it must let it be made.
    nearest = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not os.access(nearest, os.R_OK | os.W_OK | os.X_OK):
        return Check(CheckState.FAIL, "the offline store cannot be read and written")
    return Check(CheckState.PASS)


def _online_store() -> Check:
    """Rows that were lost come back by themselves, and every process reads the same store: no reason to ask others."""
    online_store().check()
    if (emptied := emptied_groups()) > 0:
        return Check(CheckState.WARN, f"the online store has lost the rows of {emptied} groups")
    return Check(CheckState.PASS)


def _warehouse() -> Check:
    """Values are read without the warehouse, so that it is gone is told and no reason to send requests elsewhere."""
    warehouse = Source.objects.filter(name=WAREHOUSE).first()
    if warehouse is not None and not Path(warehouse.location).exists():
        return Check(CheckState.WARN, "the warehouse of step 6 is not there")
    return Check(CheckState.PASS)


def _broker() -> Check:
    if str(settings.CELERY_BROKER_URL).startswith("filesystem:"):
        folder = Path(settings.FEATURESTORE.broker_dir)
        usable = folder.is_dir() and os.access(folder, os.R_OK | os.W_OK | os.X_OK)
        return Check(CheckState.PASS) if usable else Check(CheckState.WARN, "no worker has made its folder yet")
    timeout = max(1, round(settings.FEATURESTORE.health_timeout.total_seconds()))
    with current_app.connection_for_read(connect_timeout=timeout) as broker:
        broker.ensure_connection(max_retries=1, timeout=timeout)
    return Check(CheckState.PASS)


def _scheduler() -> Check:
    """The scheduler writes down when it last sent each task; the one that is sent every minute is its heartbeat."""
    task = PeriodicTask.objects.filter(task=HEARTBEAT_TASK, enabled=True).order_by("-last_run_at").first()
    if task is None or task.last_run_at is None:
        return Check(CheckState.WARN, "the scheduler has not run yet")
    silence = now() - task.last_run_at
    if silence > SILENT:
        return Check(
            CheckState.WARN, f"the scheduler was last heard of {int(silence.total_seconds() // 60)} minutes ago"
        )
    return Check(CheckState.PASS)


@dataclass
class _Kept:
    health: Health | None = None
    until: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)


_kept = _Kept()


def recent_health() -> Health:
    """:func:`store_health`, asked again only after ``monitoring.health_checks.interval_seconds``.

    With the checks turned off in the configuration there are none, and the store counts as healthy.
    """
    checks = settings.FEATURESTORE.monitoring.health_checks
    if not checks.enabled:
        return Health({})
    with _kept.lock:
        if _kept.health is None or time.monotonic() >= _kept.until:
            _kept.health = store_health()
            _kept.until = time.monotonic() + checks.interval_seconds
        return _kept.health
