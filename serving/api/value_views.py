"""What every endpoint that reads values does: permission, switch, access record."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar

from django.conf import settings
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from catalog.access import Capability
from catalog.actor import current_actor
from catalog.clock import now
from catalog.errors import InvalidInput, Unavailable
from serving.access_log import AccessRecord, ReadFeatures, ReadKind, write_access_record
from serving.api.body_parsers import JsonBody
from serving.api.renderers import JsonAnswer
from serving.models import ApiToken

logger = logging.getLogger(__name__)


class ValueViewSet(ViewSet):
    """Base of the endpoints that read values.

    An action calls :meth:`note_read` as soon as it knows what is read; the record is written with the answer.
    """

    required_capability: ClassVar[Capability | Mapping[str | None, Capability]] = Capability.READ_VALUES
    parser_classes = [JsonBody]
    renderer_classes = [JsonAnswer]
    kind: ClassVar[ReadKind]

    def begin(self) -> None:
        """Start the time of the read, of which nothing is known yet."""
        self._began = time.perf_counter()
        self._admitted = False
        self._read = ReadFeatures()
        self._entities = 0

    def initialize_request(self, request: Any, *args: Any, **kwargs: Any) -> Request:
        self.begin()
        return super().initialize_request(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.admit(request)

    def admit(self, request: Request) -> None:
        """Let a caller in who may read: from here on the read leaves a record.

        :raises Unavailable: when the configuration turns the API off.
        """
        self._admitted = request.method != "OPTIONS"  # which tells of the call and reads nothing
        if not settings.FEATURESTORE.serving.api_enabled:
            raise Unavailable("the API is turned off here: serving.api_enabled is false")

    @property
    def allowed_methods(self) -> list[str]:
        # Every answer tells them, and the framework looks for each method there is.
        return _allowed_methods(tuple(self.http_method_names), tuple(self.action_map or ()))

    def json_object(self, request: Request) -> Mapping[str, object]:
        """The JSON object that was sent; empty when there was no body."""
        body = request.data
        if not isinstance(body, Mapping):
            raise InvalidInput("this call takes a JSON object")
        return body

    def note_read(self, read: ReadFeatures, *, entities: int) -> None:
        """Say what the request reads."""
        self._read, self._entities = read, entities

    def finalize_response(  # type: ignore[override]  # the framework takes any response, its stubs only its own
        self, request: Request, response: HttpResponseBase, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        response = self.recorded(request, response)
        if isinstance(response, Response) and response.status_code >= 400:
            # Whatever was asked for, an error is JSON.
            request.accepted_renderer = JsonAnswer()
            request.accepted_media_type = JsonAnswer.media_type
        return super().finalize_response(request, response, *args, **kwargs)  # type: ignore[arg-type]  # as above

    def recorded(self, request: Request, response: HttpResponseBase) -> HttpResponseBase:
        """The answer, of which the access log has its record; another one where that cannot be written."""
        if not self._admitted:
            return response
        self._admitted = False  # one record for one read
        try:
            write_access_record(self._record(request, response.status_code))
        except OSError:
            logger.exception("the access record could not be written, so the read is not answered")
            return self.handle_exception(Unavailable("the access log cannot be written at the moment"))
        return response

    def _record(self, request: Request, status: int) -> AccessRecord:
        return AccessRecord(
            at=now(),
            caller=request.user.get_username() or "anonymous",
            token=request.auth.prefix if isinstance(request.auth, ApiToken) else "",
            kind=self.kind,
            feature_ids=self._read.ids,
            feature_keys=self._read.keys,
            entities=self._entities,
            milliseconds=(time.perf_counter() - self._began) * 1000,
            status=status,
            request_id=current_actor().request_id,
        )


@cache
def _allowed_methods(every: tuple[str, ...], methods: tuple[str, ...]) -> list[str]:
    """Of ``every`` method, in its order, those that a route with actions for ``methods`` takes."""
    known = {*methods, "options"} | ({"head"} if "get" in methods else set())
    return [method.upper() for method in every if method in known]
