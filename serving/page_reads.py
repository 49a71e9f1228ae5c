"""The record of a read of values on a page, as the API leaves one for each of its own."""

from __future__ import annotations

import time
from collections.abc import Sequence

from catalog.actor import current_actor
from catalog.clock import now
from catalog.errors import Unavailable
from catalog.references import ResolvedFeature
from serving.access_log import AccessRecord, ReadKind, write_access_record


def record_page_read(resolved: Sequence[ResolvedFeature], *, entities: int, began: float) -> None:
    """Write that the current actor has read; ``began`` is the performance counter when the request came.

    :raises Unavailable: when it cannot be written; a read that leaves no record must not be answered.
    """
    actor = current_actor()
    try:
        write_access_record(
            AccessRecord(
                at=now(),
                caller=actor.name,
                token="",
                kind=ReadKind.HISTORICAL,
                feature_ids=tuple(item.version.public_id for item in resolved),
                feature_keys=tuple(item.version.feature_id for item in resolved),
                entities=entities,
                milliseconds=(time.perf_counter() - began) * 1000,
                status=200,
                request_id=actor.request_id,
            )
        )
    except OSError as error:
        raise Unavailable("the access log cannot be written at the moment") from error
