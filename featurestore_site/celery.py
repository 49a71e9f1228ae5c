"""The Celery application: ``celery -A featurestore_site worker``."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "featurestore_site.settings")

app = Celery("featurestore")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
