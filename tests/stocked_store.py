"""A catalog with values in both stores, and people to read them, made straight in the models."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
from django.contrib.auth.models import Group, User
from django.test import Client

from catalog.access import Role
from catalog.arrow_types import arrow_type
from catalog.models import Entity, Feature, FeatureGroup, FeatureService, FeatureServiceMember, FeatureVersion
from serving.models.fields import UNKNOWN_US, to_microseconds
from serving.stores.offline import KEY_COLUMNS, append_history
from serving.stores.online import online_store
from serving.stores.online_batches import OnlineRow, in_batches
from serving.tokens import issue_token

DAY = datetime(2025, 3, 1, tzinfo=UTC)
_epochs = itertools.count(1)


def make_entity(name: str = "customer", join_keys: tuple[str, ...] = ("customer_id",)) -> Entity:
    return Entity.objects.get_or_create(name=name, defaults={"join_keys": list(join_keys)})[0]


def make_group(name: str = "finance", *, entity: Entity | None = None, **fields: Any) -> FeatureGroup:
    entity = entity or make_entity()
    return FeatureGroup.objects.create(name=name, entity=entity, source="warehouse", source_table=name, **fields)


def make_feature(
    group: FeatureGroup, name: str, data_type: str = "float", *, sensitivity: str = "", **version: Any
) -> FeatureVersion:
    """The first version of a new feature, its default."""
    feature = Feature.objects.create(group=group, entity=group.entity, name=name, sensitivity=sensitivity)
    made = FeatureVersion.objects.create(feature=feature, major=1, minor=0, data_type=data_type, **version)
    feature.default_version = made
    feature.save()
    return made


def make_service(name: str, *versions: FeatureVersion) -> FeatureService:
    service = FeatureService.objects.create(name=name)
    for position, version in enumerate(versions):
        FeatureServiceMember.objects.create(service=service, version=version, position=position)
    return service


def put_online(
    group: FeatureGroup,
    key: str,
    values: dict[str, Any],
    *,
    event: datetime = DAY,
    created: datetime | None = DAY + timedelta(hours=1),
) -> None:
    row = OnlineRow(
        entity_key=key,
        values=values,
        event_us=to_microseconds(event),
        created_us=UNKNOWN_US if created is None else to_microseconds(created),
        arrival=1,
        run_id="run",
    )
    online_store().upsert(group.pk, in_batches([row]))


def put_history(group: FeatureGroup, rows: list[dict[str, Any]]) -> None:
    """Append rows of ``key``, ``event``, ``created`` (optional) and values by value column."""
    epoch = next(_epochs)
    columns: dict[str, pa.Array] = {
        "entity_key": pa.array([row["key"] for row in rows], pa.string()),
        "event_timestamp": pa.array([row["event"] for row in rows], KEY_COLUMNS.field("event_timestamp").type),
        "created_timestamp": pa.array(
            [row.get("created", row["event"]) for row in rows], KEY_COLUMNS.field("created_timestamp").type
        ),
        "run_id": pa.array(["run"] * len(rows), pa.string()),
        "arrival": pa.array([(epoch << 32) + position for position in range(len(rows))], pa.int64()),
    }
    for version in FeatureVersion.objects.filter(feature__group=group).select_related("feature"):
        values = [row.get(version.value_column) for row in rows]
        columns[version.value_column] = pa.array(values, arrow_type(version.data_type))
    append_history(group=group, rows=pa.table(columns), run_id=f"run-{epoch}", epoch=epoch)


def make_user(name: str, role: Role | None = None) -> User:
    user = User.objects.create_user(name, password="correct horse")
    if role is not None:
        # A test that commits leaves an empty database behind, without the roles of the migrations.
        user.groups.add(Group.objects.get_or_create(name=role.value)[0])
    return user


def client_of(user: User | None, scopes: tuple[str, ...] = ("read",)) -> Client:
    """A client that sends a fresh token of ``user``; of nobody, no token."""
    if user is None:
        return Client()
    key = issue_token(user=user, name="test", scopes=scopes).key
    return Client(headers={"authorization": f"Token {key}"})
