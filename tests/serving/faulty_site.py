"""The application, failing in the middle of historical answers where the header ``X-Fault`` asks for it.

``history``: the history cannot be read any more when the last slice is worked out. ``bug``: an error that nobody
expected at the same place. ``sending``: the process fails when a part of the answer is sent already.

``X-Slices`` of an answer says in how many slices it was worked out, and in how many tables it was given back.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from featurestore_site import wsgi
from serving import historical
from serving.api.historical import HistoricalViewSet
from serving.point_in_time import join
from serving.wire import whole


class _Asked(threading.local):
    """The request that this thread answers."""

    fault = ""
    worked_out = given_back = 0


_asked = _Asked()
_slices = join.Slices
_answer_in_slices = historical.answer_in_slices
_create = HistoricalViewSet.create


class _Slices(_slices):
    """Slices of which the last fails where it is asked for: that after which every entity row would have its answer."""

    def by_key(self, entities: pa.Table, **options: Any) -> Iterator[pa.Table]:
        answer, answered = self.answer, 0

        def answer_or_fail(part: pa.Table) -> pa.Table:
            nonlocal answered
            answered += part.num_rows
            if answered == entities.num_rows and _asked.fault == "history":
                raise FileNotFoundError("part-0.parquet")
            if answered == entities.num_rows and _asked.fault == "bug":
                raise RuntimeError("out of luck")
            _asked.worked_out += 1
            return answer(part)

        self.answer = answer_or_fail
        return super().by_key(entities, **options)


def _counted(**request: Any) -> Iterator[pa.Table]:
    for part in _answer_in_slices(**request):
        _asked.given_back += 1
        yield part


def _create_counted(view: HistoricalViewSet, request: Any) -> Any:
    _asked.worked_out = _asked.given_back = 0
    response = _create(view, request)
    response.headers["X-Slices"] = f"{_asked.worked_out} worked out, {_asked.given_back} given back"
    return response


def _failing(kind: Any) -> None:
    pieces = kind.__iter__

    def sent(self: Any) -> Iterator[bytes]:
        for piece in pieces(self):
            yield piece[: len(piece) // 2]
            if _asked.fault == "sending":
                raise RuntimeError("out of luck")
            yield piece[len(piece) // 2 :]

    kind.__iter__ = sent


join.Slices = _Slices  # type: ignore[misc]
historical.answer_in_slices = _counted
HistoricalViewSet.create = _create_counted  # type: ignore[method-assign]
for _kind in (whole.Spool, whole.MeasuredArrow):
    _failing(_kind)


def application(environ: dict[str, Any], start_response: Any) -> Any:
    _asked.fault = environ.get("HTTP_X_FAULT", "")
    return wsgi.application(environ, start_response)
