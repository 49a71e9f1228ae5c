"""``entities/{name}``: every feature of one entity, online and at an instant."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.named import named_or_nearest
from catalog.clock import now
from catalog.errors import InvalidInput
from catalog.models import Entity
from serving.access_log import AccessRecord, ReadFeatures, ReadKind
from serving.api import schemas
from serving.api.value_views import ValueViewSet
from serving.entity_lookup import Agreement, FeatureLook, checked_purpose, features_to_look_up, look_up_entity
from serving.entity_rows import EntityShape, read_entity
from serving.instants import iso_text, parse_instant
from serving.models.fields import to_microseconds
from serving.resolving import MAX_FEATURES

_OWN = ("at", "purpose")


class LookedUpSerializer(serializers.Serializer[Any]):
    """One feature of the entity."""

    feature = serializers.CharField(help_text="As group:name.")
    feature_id = serializers.CharField()
    version = serializers.CharField()
    masked = serializers.BooleanField()
    online_value = schemas.AnyValue(allow_null=True)
    online_status = serializers.ChoiceField(choices=schemas.STATUSES, allow_null=True)
    value = schemas.AnyValue(allow_null=True, help_text="What history answers at the instant.")
    status = serializers.ChoiceField(choices=schemas.STATUSES, allow_null=True)
    agreement = serializers.ChoiceField(choices=[(one.value, one.value) for one in Agreement])
    event_timestamp = serializers.DateTimeField(allow_null=True)
    created_timestamp = serializers.DateTimeField(allow_null=True)
    age_seconds = serializers.FloatField(allow_null=True)
    max_age_seconds = serializers.FloatField(allow_null=True)
    run_id = serializers.CharField(help_text="The run that wrote it; empty where another program did.")


class EntityLookupSerializer(serializers.Serializer[Any]):
    """Every feature of one entity."""

    entity = serializers.CharField()
    entity_id = schemas.EntityId()
    at = serializers.DateTimeField()
    features = LookedUpSerializer(many=True)


class EntityLookupViewSet(ValueViewSet):
    kind: ClassVar[ReadKind] = ReadKind.HISTORICAL
    _purpose = ""

    @extend_schema(
        operation_id="look_up_entity",
        summary="Every feature of one entity: served now, and at an instant",
        description="Give every join key of the entity as a query parameter of its name. The access log keeps the "
        f"purpose. At most {MAX_FEATURES} features are told.",
        parameters=[
            OpenApiParameter("at", str, description="An instant, or a date for its end; by default now."),
            OpenApiParameter("purpose", str, required=True, description="What the entity is looked up for."),
        ],
        responses={200: EntityLookupSerializer, **schemas.ERRORS, 404: schemas.ErrorAnswer},
    )
    def retrieve(self, request: Request, name: str) -> Response:
        given = {key: values[-1] for key, values in request.query_params.lists()}
        entity = named_or_nearest(Entity.objects.all(), name, what="entity")
        unknown = sorted(set(given) - {*_OWN, *entity.join_keys})
        if unknown:
            raise InvalidInput(
                f"{', '.join(unknown)} is not a parameter of this call; there are "
                f"{', '.join([*entity.join_keys, *_OWN])}",
                details={"unknown": unknown},
            )
        self._purpose = checked_purpose(given.get("purpose", ""))
        present = now()
        at = parse_instant(given["at"], name="at", bound="end") if "at" in given else present
        shape = EntityShape(entity.name, tuple(entity.join_keys))
        named = {key: value for key, value in given.items() if key not in _OWN}
        row = read_entity(named, shapes=[shape], place="the entity")
        features = list(features_to_look_up(entity, user=request.user)[:MAX_FEATURES])
        looks = look_up_entity(features, entity=row, at=min(at, present), now=present, user=request.user)
        versions = [look.version for look in looks]
        self.note_read(
            ReadFeatures(
                tuple(version.public_id for version in versions), tuple(version.feature_id for version in versions)
            ),
            entities=1,
        )
        return Response(
            {
                "entity": entity.name,
                "entity_id": row.shown,
                "at": iso_text(to_microseconds(min(at, present))),
                "features": [_told(look) for look in looks],
            }
        )

    def _record(self, request: Request, status: int) -> AccessRecord:
        return super()._record(request, status)._replace(purpose=self._purpose)


def _told(look: FeatureLook) -> dict[str, Any]:
    version, offline = look.version, look.offline
    group = version.feature.group
    return {
        "feature": f"{group.name}:{version.feature.name}",
        "feature_id": version.public_id,
        "version": version.number,
        "masked": look.masked,
        "online_value": None if look.online is None else look.online.value,
        "online_status": None if look.online is None else look.online.status.value,
        "value": None if offline is None else offline.value,
        "status": None if offline is None else offline.status.value,
        "agreement": look.agreement.value,
        "event_timestamp": None
        if offline is None or offline.event is None
        else iso_text(to_microseconds(offline.event)),
        "created_timestamp": None
        if offline is None or offline.created is None
        else iso_text(to_microseconds(offline.created)),
        "age_seconds": None if look.age is None else look.age.total_seconds(),
        "max_age_seconds": None if group.max_age is None else group.max_age.total_seconds(),
        "run_id": "" if offline is None else offline.run_id,
    }
