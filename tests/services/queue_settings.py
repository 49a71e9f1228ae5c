"""The product's settings with a task queue of its own, so that no other worker of the broker takes its messages."""

from __future__ import annotations

import os

from featurestore_site.settings import *  # noqa: F403

CELERY_TASK_DEFAULT_QUEUE = os.environ["TASK_QUEUE"]
