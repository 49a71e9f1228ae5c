"""``POST /get-online-features``: the call of Feast's feature server, at its address."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.clock import now
from serving.access_log import ReadKind
from serving.api import feast_schemas
from serving.api.plain_calls import PlainCallViewSet
from serving.api.renderers import json_answer
from serving.authentication import BearerAuthentication
from serving.feast.answer import FEAST_ROWS, feast_answer
from serving.feast.entities import read_entity_columns
from serving.feast.errors import error_class, feast_error
from serving.feast.names import column_names
from serving.feast.request import read_feast_request
from serving.kept_reads import KeptRead
from serving.online_plan import plan_online_read
from serving.wire.json_bytes import json_bytes
from serving.wire.media_types import JSON


class FeastOnlineViewSet(PlainCallViewSet):
    kind = ReadKind.ONLINE
    reading_actions: ClassVar = frozenset({"read"})
    authentication_classes = (BearerAuthentication,)

    @extend_schema(
        operation_id="feast_get_online_features",
        summary="The newest values, as the feature server of Feast answers them",
        description="For clients of Feast with a remote online store. Feature views are feature groups.",
        request=feast_schemas.OnlineFeaturesRequest,
        examples=[
            OpenApiExample(
                "two features of one entity",
                {
                    "features": ["customer_financial:balance_mean", "customer_financial:credit_score_mean"],
                    "entities": {"customer_id": [15634602]},
                },
                request_only=True,
            )
        ],
        responses={200: feast_schemas.OnlineFeaturesAnswer},
    )
    def read(self, request: Request) -> HttpResponse:
        asked = read_feast_request(self.json_object(request))
        plan = plan_online_read(user=request.user, features=asked.features, service=asked.service)
        entities = read_entity_columns(asked.entities, shapes=plan.shapes)
        reading = KeptRead(plan=plan, asked=entities, form=FEAST_ROWS, at=now())
        names = column_names(
            plan, full=asked.full_names, of_service=asked.service is not None, join_keys=list(entities.columns)
        )
        self.note_read(plan.read, entities=reading.count)
        rows = reading.answers()
        told = feast_answer(rows, plan=plan, keys=entities.columns, names=names, with_groups=asked.with_groups)
        return json_answer(told)

    def handle_exception(self, exc: Exception) -> Response:
        response = super().handle_exception(exc)
        response.data = feast_error(error_class(exc, user=lambda: self.request.user), response.data["error"])
        return response


@csrf_exempt
def not_of_this_store(request: HttpRequest) -> HttpResponse:
    """The other calls of Feast's server, which its client makes when values are pushed or materialized."""
    told: dict[str, Any] = {
        "code": "not_found",
        "message": f"of Feast's calls this store answers POST /get-online-features, not {request.path}; values come in "
        "by ingestion: manage.py ingest, or POST /api/v1/refresh",
        "details": {},
    }
    return HttpResponse(json_bytes(feast_error("FeastError", told)), status=404, content_type=JSON)
