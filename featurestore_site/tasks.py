"""Housekeeping of the installation itself; the schedules name these tasks."""

from __future__ import annotations

from datetime import timedelta
from logging import getLogger

from celery import shared_task
from django.conf import settings

from featurestore_site.backup import back_up
from featurestore_site.broker import delete_processed_messages

PROCESSED_KEPT = timedelta(days=1)

log = getLogger(__name__)


@shared_task(name="featurestore_site.tasks.clear_broker", ignore_result=True)
def clear_broker() -> None:
    """Delete the files of messages that were taken long ago."""
    deleted = delete_processed_messages(settings.FEATURESTORE, older_than=PROCESSED_KEPT)
    log.info("%d processed messages deleted", deleted)


@shared_task(name="featurestore_site.tasks.back_up_daily", ignore_result=True)
def back_up_daily() -> None:
    """Back the SQLite database up, where the configuration asks for it."""
    configuration = settings.FEATURESTORE
    if configuration.feature_store.backup_enabled and configuration.database.kind == "sqlite":
        made = back_up(configuration)
        log.info("backup made: %s", made.folder)
