"""Sending answers that are more than one piece, with their length."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from django.conf import settings
from django.http import StreamingHttpResponse

from catalog.errors import Unavailable
from serving.wire.whole import Spool, WholeAnswer

logger = logging.getLogger(__name__)


def spooled(pieces: Iterable[bytes]) -> Spool:
    """The pieces, all made now, as an answer that waits to be sent.

    :raises Unavailable: when there is no room for it.
    """
    try:
        return Spool(pieces, folder=settings.FEATURESTORE.feature_store.cache_path / "answers")
    except OSError as error:
        logger.exception("an answer could not be kept until it is sent")
        raise Unavailable(f"the answer cannot be kept until it is sent: {error}") from error


def sending(answer: WholeAnswer, media_type: str) -> StreamingHttpResponse:
    """The response that sends the answer; where it breaks off, the client knows by the length."""
    response = StreamingHttpResponse(answer, content_type=media_type)
    response.headers["Content-Length"] = str(answer.length)
    return response
