"""The calls that set work going at the server and follow it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from feature_store_client import reading
from feature_store_client.connected import Connected
from feature_store_client.errors import InvalidRequestError, RunTimeoutError
from feature_store_client.requesting import one_or_many, path_segment
from feature_store_client.runs import Run, Validation

_LONGEST_PAUSE = 5.0


class ManagementCalls(Connected):
    """Ingestion and validation on demand."""

    def refresh(
        self, groups: str | Sequence[str] | None = None, *, wait: bool = False, timeout: float = 600.0
    ) -> list[Run]:
        """Ingest the feature groups (all of them by default); one run per group.

        With ``wait`` the runs are followed until each is final, for at most ``timeout`` seconds together; look at
        ``run.succeeded`` or call ``run.raise_if_failed()``, since a failed run is an answer too.

        :raises RunTimeoutError: when a run is not final in time; it goes on at the server.
        """
        answer = self._transport.post_json("refresh", _groups(groups), idempotent=False)
        runs = [Run.from_json(entry) for entry in reading.objects(answer, "runs")]
        if not wait:
            return runs
        deadline = time.monotonic() + timeout
        return [self.wait_for_run(run, timeout=max(0.0, deadline - time.monotonic())) for run in runs]

    def validate(
        self, groups: str | Sequence[str] | None = None, *, wait: bool = False, timeout: float = 600.0
    ) -> Validation:
        """Check the feature groups (all of them by default) against their rules and quality thresholds.

        With ``wait`` the server answers with the report, within ``timeout`` seconds; else with the runs.
        """
        body = _groups(groups) | ({"wait": True} if wait else {})
        answer = self._transport.post_json("validate", body, idempotent=False, timeout=timeout if wait else None)
        runs = tuple(Run.from_json(entry) for entry in reading.objects(answer, "runs")) if "runs" in answer else ()
        report = answer.get("report") if "runs" in answer else answer
        if wait and isinstance(report, dict):
            return Validation(finished=True, report=report, runs=runs)
        # It was not waited for, or longer than the server waits: the runs go on.
        return Validation(finished=False, report={}, runs=runs)

    def get_run(self, run: Run | int | str) -> Run:
        """The present state of a run, named by id, by the URL that the server gave, or by an earlier answer."""
        segment = path_segment(_run_id(run))
        if segment is None:
            raise InvalidRequestError(f"{run!r} is neither the id nor the URL of a run")
        return Run.from_json(self._transport.get_json(f"runs/{segment}"))

    def wait_for_run(self, run: Run | int | str, *, timeout: float = 600.0, poll_interval: float = 0.5) -> Run:
        """Ask for a run until its state is final, at growing intervals of at most five seconds.

        :raises RunTimeoutError: after ``timeout`` seconds; the run goes on at the server.
        """
        deadline = time.monotonic() + timeout
        pause = poll_interval
        while True:
            present = self.get_run(run)
            if present.finished:
                return present
            left = deadline - time.monotonic()
            if left <= 0:
                raise RunTimeoutError(
                    f"run {present.id} of group {present.group} is still {present.state} after {timeout:g} s",
                    details=present.details,
                )
            time.sleep(min(pause, left))
            pause = min(pause * 1.5, _LONGEST_PAUSE)


def _groups(groups: str | Sequence[str] | None) -> dict[str, Any]:
    return {} if groups is None else {"groups": one_or_many(groups)}


def _run_id(run: Run | int | str) -> str:
    """Only the id is taken from a URL: the call goes to the client's own server whatever host the URL names."""
    if isinstance(run, Run):
        return str(run.id)
    text = str(run)
    return text.rstrip("/").rpartition("/runs/")[2] if "/runs/" in text else text
