"""Celery tasks of what is read: thin, given ids, safe to run twice."""

from __future__ import annotations

from logging import getLogger
from uuid import UUID

from celery import Task, shared_task
from kombu.exceptions import OperationalError as BrokerUnavailable

from catalog.actor import acting
from serving.datasets.building import build_dataset, unowned_datasets

log = getLogger(__name__)

RETRY_SECONDS = 5


def wake_builder(dataset_id: UUID) -> None:
    """Tell a worker to look at the dataset. When the broker is away it stays queued and is found later."""
    try:
        build.delay(str(dataset_id))
    except (BrokerUnavailable, OSError):
        log.warning("the broker does not take messages; training dataset %s stays queued", dataset_id, exc_info=True)


@shared_task(bind=True, name="serving.tasks.build", max_retries=None, ignore_result=True)
def build(self: Task[[str], None], dataset_id: str) -> None:
    """Build one training dataset; come back later when another is at it or something has to heal."""
    with acting(None, "worker"):
        dataset = build_dataset(UUID(dataset_id))
    if not dataset.is_finished and dataset.archived_at is None:
        raise self.retry(countdown=RETRY_SECONDS)


@shared_task(name="serving.tasks.resume_datasets", ignore_result=True)
def resume_datasets() -> None:
    """Wake a worker for every training dataset that nobody is building."""
    for dataset_id in unowned_datasets():
        wake_builder(dataset_id)
