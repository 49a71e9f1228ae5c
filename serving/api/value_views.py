"""What every endpoint that reads values does: permission, switch, access record."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
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
from catalog.references import ResolvedFeature
from serving.access_log import AccessRecord, ReadKind, write_access_record
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

    def initialize_request(self, request: Any, *args: Any, **kwargs: Any) -> Request:
        self._began = time.perf_counter()
        self._admitted = False
        self._read: tuple[ResolvedFeature, ...] = ()
        self._entities = 0
        return super().initialize_request(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self._admitted = request.method != "OPTIONS"  # which tells of the call and reads nothing
        if not settings.FEATURESTORE.serving.api_enabled:
            raise Unavailable("the API is turned off here: serving.api_enabled is false")

    def json_object(self, request: Request) -> Mapping[str, object]:
        """The JSON object that was sent; empty when there was no body."""
        body = request.data
        if not isinstance(body, Mapping):
            raise InvalidInput("this call takes a JSON object")
        return body

    def note_read(self, resolved: Sequence[ResolvedFeature], *, entities: int) -> None:
        """Say what the request reads."""
        self._read, self._entities = tuple(resolved), entities

    def finalize_response(  # type: ignore[override]  # the framework takes any response, its stubs only its own
        self, request: Request, response: HttpResponseBase, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        if self._admitted:
            try:
                write_access_record(self._record(request, response.status_code))
            except OSError:
                logger.exception("the access record could not be written, so the read is not answered")
                response = self.handle_exception(Unavailable("the access log cannot be written at the moment"))
        if isinstance(response, Response) and response.status_code >= 400:
            # Whatever was asked for, an error is JSON.
            request.accepted_renderer = JsonAnswer()
            request.accepted_media_type = JsonAnswer.media_type
        return super().finalize_response(request, response, *args, **kwargs)  # type: ignore[arg-type]  # as above

    def _record(self, request: Request, status: int) -> AccessRecord:
        versions = [item.version for item in self._read]
        return AccessRecord(
            at=now(),
            caller=request.user.get_username() or "anonymous",
            token=request.auth.prefix if isinstance(request.auth, ApiToken) else "",
            kind=self.kind,
            feature_ids=tuple(version.public_id for version in versions),
            feature_keys=tuple(version.feature_id for version in versions),
            entities=self._entities,
            milliseconds=(time.perf_counter() - self._began) * 1000,
            status=status,
            request_id=current_actor().request_id,
        )
