"""Asking for a training dataset: everything is pinned now, the work is done later."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

import pyarrow as pa
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from catalog.access import Capability, Reader, may
from catalog.actor import current_actor
from catalog.audit import record, snapshot
from catalog.clock import now
from catalog.errors import InvalidInput, PermissionDenied
from catalog.models import FeatureGroup
from catalog.references import ResolvedFeature
from serving.datasets.content_hash import content_hash
from serving.datasets.files import ENTITY_ROWS, folder_of, read_table, remove_folder, write_table
from serving.datasets.pins import PinnedEntity, PinnedFeature, PinnedTable, Pins
from serving.entity_uses import entity_keys_of, entity_uses, key_columns
from serving.key_map import KeyMap
from serving.models import TrainingDataset
from serving.point_in_time import KnownAt, TimeRange
from serving.resolving import resolve_for_reading
from serving.stores.offline import open_history
from serving.wire.arrow_rows import ArrowRows
from serving.wire.entity_frame import EntityFrame

_LONGEST_NAME = 200
_CHECKED_ROWS = 100_000
AUDITED = ("name", "description", "created_by", "entity_rows", "entity_rows_hash", "archived_at")


@dataclass(frozen=True)
class DatasetRequest:
    """What a training dataset is asked to hold; exactly one of ``features`` and ``service`` should be given.

    ``known_at`` None stands for the moment of the request; ``at`` is the time of entity rows without one, by default
    the end of the time range, or that moment. ``table_versions`` names by group an earlier version of its history;
    groups that are left out are read at their newest.
    """

    name: str
    frame: EntityFrame
    features: object = None
    service: object = None
    description: str = ""
    time_range: TimeRange = TimeRange()
    known_at: KnownAt = None
    at: datetime | None = None
    table_versions: Mapping[str, int] | None = None
    key_map: KeyMap = field(default_factory=KeyMap)


def request_dataset(
    request: DatasetRequest, *, user: Reader, wake: Callable[[UUID], None] | None = None
) -> TrainingDataset:
    """A training dataset that will be built, with its references resolved and its histories pinned now.

    What is asked for is checked here, so that building fails only when something breaks. ``wake`` is called with
    its id after the transaction has committed.

    :raises PermissionDenied: when ``user`` may not read values.
    :raises InvalidInput: on a name, entity row, key or time that cannot be used.
    :raises UnknownReference, NotFound: when a feature or the feature service is not there.
    :raises Conflict: when a table version asked for is not there.
    """
    if not may(user, Capability.READ_VALUES):
        raise PermissionDenied("a training dataset holds values, and your role does not give read_values")
    moment = now()
    name = _checked_name(request.name)
    resolved = resolve_for_reading(
        user=user, features=request.features, service=request.service, key_map=request.key_map
    )
    table = request.frame.table()
    frame = ArrowRows(table)
    uses = entity_uses(resolved, request.key_map)
    for start in range(0, max(frame.count, 1), _CHECKED_ROWS):
        part = frame.part(start, _CHECKED_ROWS)
        entity_keys_of(part, uses, resolved)
        part.times()
    pins = _pins(request, frame, resolved, moment)
    dataset_id = uuid4()
    try:
        kept = _kept(dataset_id, table)
        dataset = TrainingDataset(
            id=dataset_id,
            name=name,
            description=request.description,
            user=user if isinstance(user, AbstractBaseUser) else None,  # type: ignore[misc]  # the project's user model
            created_by=current_actor().name if not user.is_authenticated else user.get_username(),
            spec=pins.as_json(),
            columns=[{"name": field.name, "type": str(field.type)} for field in kept.schema],
            entity_rows=kept.num_rows,
            entity_rows_hash=content_hash(kept),
            created_at=moment,
        )
        with transaction.atomic():
            dataset.save(force_insert=True)
            record(action="create", instance=dataset, after={**snapshot(dataset, AUDITED), "spec": dataset.spec})
            if wake is not None:
                transaction.on_commit(lambda: wake(dataset_id))
    except BaseException:
        remove_folder(dataset_id)
        raise
    return dataset


def _checked_name(name: object) -> str:
    text = name.strip() if isinstance(name, str) else ""
    if not text or len(text) > _LONGEST_NAME or not text.isprintable():
        raise InvalidInput(
            f"name is a text of 1 to {_LONGEST_NAME} characters on one line, such as churn training 2025-06",
            details={"field": "name"},
        )
    return text


def _pins(request: DatasetRequest, frame: EntityFrame, resolved: Sequence[ResolvedFeature], moment: datetime) -> Pins:
    groups = {item.version.feature.group.name: item.version.feature.group for item in resolved}
    asked = request.table_versions or {}
    unknown = sorted(set(asked) - set(groups))
    if unknown:
        raise InvalidInput(
            f"table_versions names {', '.join(unknown)}, of which no feature is asked for; there are "
            f"{', '.join(groups)}",
            details={"field": "table_versions", "groups": unknown},
        )
    known_at = moment
    if isinstance(request.known_at, datetime):
        # What will be known later is not known yet.
        known_at = min(request.known_at, moment)
    uses = {use.name: use for use in entity_uses(resolved, request.key_map)}
    return Pins(
        features=tuple(_feature(item) for item in resolved),
        tables=tuple(_table(group, asked.get(name)) for name, group in groups.items()),
        entities=tuple(
            PinnedEntity(name=name, join_keys=use.shape.join_keys, columns=key_columns(frame, use))
            for name, use in uses.items()
        ),
        key_map={name: dict(columns) for name, columns in request.key_map.columns.items()},
        service=request.service if isinstance(request.service, str) else None,
        start=request.time_range.start,
        end=request.time_range.end,
        known_at=known_at,
        known_at_event_time=request.known_at == "event_time",
        at=request.time_range.end or request.at or moment,
    )


def _feature(item: ResolvedFeature) -> PinnedFeature:
    version = item.version
    return PinnedFeature(
        reference=item.reference,
        feature_id=version.public_id,
        version_key=version.pk,
        group=version.feature.group.name,
        entity=version.feature.entity.name,
        version=version.number,
        value_column=version.value_column,
        data_type=version.data_type,
        default=version.default_value,
    )


def _table(group: FeatureGroup, version: int | None) -> PinnedTable:
    history = open_history(group, version=version)
    return PinnedTable(
        group=group.name,
        version=None if history is None else history.version,
        table_id="" if history is None else str(history.table.metadata().id),
        max_age=group.max_age,
    )


def _kept(dataset_id: UUID, table: pa.Table) -> pa.Table:
    """The entity rows as their file gives them back: Parquet has no seconds, and no days of 64 bits."""
    path = folder_of(dataset_id) / ENTITY_ROWS
    try:
        write_table(path, table)
    except (pa.ArrowException, NotImplementedError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # It is the disk; what Arrow cannot write has no number.
        raise InvalidInput(
            f"a column of the entity rows has no form in Parquet: {error}", details={"field": "entity_df"}
        ) from error
    return read_table(path)
