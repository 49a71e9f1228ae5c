from __future__ import annotations

import socket
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from featurestore_site.serving_processes import child_environment, serving_parts
from featurestore_site.supervision import Supervisor
from ingestion.migration_state import unapplied_migrations


class Command(BaseCommand):
    help = "Serve pages and API on one port, with a worker and the scheduler behind them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        serving = settings.FEATURESTORE.serving
        parser.add_argument("--host", default=serving.api_host, help="address to listen on (%(default)s)")
        parser.add_argument("--port", type=int, default=serving.api_port, help="port to listen on (%(default)s)")
        parser.add_argument(
            "--no-worker", action="store_true", help="run neither worker nor scheduler: they run elsewhere"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        configuration = settings.FEATURESTORE
        host, port = options["host"], options["port"]
        _check_port_is_free(host, port)
        self._check_database()
        for warning in configuration.warnings:
            self.stderr.write(self.style.WARNING(f"configuration: {warning}"))
        parts = serving_parts(configuration, host=host, port=port, worker=not options["no_worker"])
        names = ", ".join(part.name for part in parts)
        shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host
        self.stdout.write(f"Serving on http://{shown}:{port}/ ({names}); Ctrl-C ends it.")
        Supervisor(parts, environment=child_environment(configuration), say=self.stderr.write).run()
        self.stdout.write("Everything has ended.")

    def _check_database(self) -> None:
        try:
            missing = unapplied_migrations()
        except DatabaseError as error:
            # It may come back: until then every call answers 503 and health says why.
            self.stderr.write(self.style.WARNING(f"the database does not answer yet: {error}"))
            return
        if missing:
            raise CommandError(
                f"the database is of another release: it lacks {len(missing)} migrations, from {missing[0]} on; run "
                "manage.py migrate first"
            )


def _check_port_is_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandError(f"cannot listen on {host}:{port}: {error.strerror}; choose another --port") from error
