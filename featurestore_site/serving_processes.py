"""The processes behind ``manage.py serve``: web server, worker, scheduler."""

from __future__ import annotations

import os
import sys

from featurestore_site.configuration import Configuration
from featurestore_site.configuration.loading import PROJECT_DIR
from featurestore_site.supervision import Part


def serving_parts(configuration: Configuration, *, host: str, port: int, worker: bool) -> list[Part]:
    """What runs: pages and API on one port and, with ``worker``, a Celery worker and the scheduler."""
    parts = [_web(configuration, host=host, port=port)]
    if worker:
        parts += [_worker(configuration), _scheduler()]
    return parts


def child_environment(configuration: Configuration) -> dict[str, str]:
    """The environment of the parts: this process's, with its choice of configuration file and data folder."""
    return {
        **os.environ,
        "FEATURESTORE_CONFIG": str(configuration.file),
        "FEATURESTORE_DATA_DIR": str(configuration.data_dir),
        "DJANGO_SETTINGS_MODULE": "featurestore_site.settings",
        # Whatever folder it is started in, from a checkout too.
        "PYTHONPATH": os.pathsep.join(filter(None, (str(PROJECT_DIR), os.environ.get("PYTHONPATH")))),
    }


def _web(configuration: Configuration, *, host: str, port: int) -> Part:
    serving = configuration.serving
    return Part(
        name="web server",
        command=(
            sys.executable, "-m", "granian", "--interface", "wsgi", "--host", host, "--port", str(port),
            "--workers", str(serving.workers), "--blocking-threads", str(serving.threads),
            "--respawn-failed-workers", "--no-ws", "--log-level", "warning",
            "featurestore_site.wsgi:application",
        ),
    )  # fmt: skip


def _worker(configuration: Configuration) -> Part:
    return Part(
        name="worker",
        command=(
            *_celery(), "worker", "--concurrency", str(configuration.performance.parallel_workers),
            "--loglevel", "WARNING", "--without-gossip", "--without-mingle", "--max-tasks-per-child", "100",
        ),
        niceness=configuration.performance.worker_niceness,
    )  # fmt: skip


def _scheduler() -> Part:
    return Part(name="scheduler", command=(*_celery(), "beat", "--loglevel", "WARNING", "--pidfile", ""))


def _celery() -> tuple[str, ...]:
    return (sys.executable, "-m", "celery", "--quiet", "-A", "featurestore_site")
