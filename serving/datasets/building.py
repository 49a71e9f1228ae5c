"""Building a training dataset from its pins: once, by whoever claims it, and again after a builder has died."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version as installed_version
from logging import getLogger
from typing import Any
from uuid import UUID

import pyarrow as pa
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.utils import OperationalError

from catalog.access import Capability, Reader, may
from catalog.actor import current_actor
from catalog.clock import machine_time, now
from catalog.context_processors import product_version
from catalog.errors import Conflict, FeatureStoreError, PermissionDenied, Unavailable
from catalog.references import ResolvedFeature
from serving.access_log import AccessRecord, ReadKind, write_access_record
from serving.clearance import ColumnMask, masks_for
from serving.datasets import claims
from serving.datasets.content_hash import content_hash
from serving.datasets.files import ENTITY_ROWS, folder_of, read_table, remove_others, result_name, write_table
from serving.datasets.lineage import record_dataset_lineage
from serving.datasets.pins import Pins, resolved_from, with_masks
from serving.engine_limits import gathered_within_limits
from serving.historical import stream_historical
from serving.models import DatasetState, TrainingDataset
from serving.processes import is_dead
from serving.wire.arrow_rows import ArrowRows

MAX_ATTEMPTS = 5
_JOINED_SHARE = 0.9
_ENGINES = ("duckdb", "pyarrow", "deltalake")

log = getLogger(__name__)


def build_dataset(dataset_id: UUID) -> TrainingDataset:
    """Build the dataset unless it is finished or another is at it; the dataset as it stands then.

    A second call changes nothing. Every failure ends in its state: terminal ones as failed with their reason,
    transient ones (locked database, history that cannot be reached) leave it queued until :data:`MAX_ATTEMPTS`.
    """
    dataset = TrainingDataset.objects.get(pk=dataset_id)
    if dataset.is_finished:
        return dataset
    held = claims.claim(dataset)
    if held is None:
        dataset.refresh_from_db()
        return dataset
    try:
        if held.attempt > MAX_ATTEMPTS:
            _fail(held, f"given up: its builder died or gave way {dataset.attempts} times; the logs say more")
        else:
            with claims.kept_alive(held):
                _build(dataset, held)
    except (Unavailable, OperationalError) as error:
        log.warning("training dataset %s will be tried again: %s", dataset_id, error)
        if held.attempt >= MAX_ATTEMPTS:
            _fail(held, f"{error} (given up after {held.attempt} attempts)")
        else:
            claims.update(held, state=DatasetState.QUEUED, error=str(error), builder_until=None)
    except FeatureStoreError as error:
        _fail(held, error.message)
    except Exception as error:
        log.exception("training dataset %s failed", dataset_id)
        _fail(held, f"{type(error).__name__}: {error}")
    dataset.refresh_from_db()
    return dataset


def unowned_datasets() -> list[UUID]:
    """The datasets that nobody is building: their builder died, or their message was lost."""
    at = machine_time()
    return [
        dataset.pk
        for dataset in TrainingDataset.objects.unfinished().order_by("created_at")
        if not dataset.is_being_built(at) or is_dead(dataset.builder)
    ]


def code_version() -> str:
    """What computes: the product and the libraries whose versions can matter to a result."""
    engines = [f"{name} {installed_version(name)}" for name in _ENGINES]
    return ", ".join([f"feature-store {product_version() or 'from its folder'}", *engines])


def joined(
    *,
    pins: Pins,
    entity_rows: pa.Table,
    user: Reader,
    resolved: Sequence[ResolvedFeature],
    masks: Sequence[ColumnMask | None],
    table_versions: dict[str, int | None],
    progress: Callable[[float], None] | None = None,
) -> pa.Table:
    """The entity rows with the features beside them, on disk when they are many.

    ``progress`` is given the share of the rows that is done.
    """
    stream = stream_historical(
        user=user,
        frame=ArrowRows(entity_rows),
        resolved=resolved,
        time_range=pins.time_range,
        known_at=pins.read_known_at,
        at=pins.at,
        key_map=pins.read_key_map,
        table_versions=table_versions,
        masks=masks,
    )
    return gathered_within_limits(_shown(stream.tables(), entity_rows.num_rows, progress))


def _shown(parts: Iterator[pa.Table], rows: int, progress: Callable[[float], None] | None) -> Iterator[pa.Table]:
    done = 0
    for part in parts:
        done += part.num_rows
        if progress is not None:
            progress(done / max(rows, 1))
        yield part
        del part


def _build(dataset: TrainingDataset, held: claims.Claim) -> None:
    began = time.perf_counter()
    user: Reader = AnonymousUser() if dataset.user is None else dataset.user
    if not may(user, Capability.READ_VALUES):
        raise PermissionDenied(f"{dataset.created_by or 'who asked for it'} may no longer read values")
    entity_rows = read_table(folder_of(dataset.pk) / ENTITY_ROWS)
    if content_hash(entity_rows) != dataset.entity_rows_hash:
        raise Conflict("the file of its entity rows is not the one that was stored")
    pins = Pins.of(dataset.spec)
    resolved = resolved_from(pins)
    masks = masks_for(user=user, resolved=resolved)
    pins = with_masks(pins, masks)
    table = joined(
        pins=pins,
        entity_rows=entity_rows,
        user=user,
        resolved=resolved,
        masks=masks,
        table_versions=pins.table_versions,
        progress=lambda share: _show(held, share * _JOINED_SHARE),
    )
    _record_access(dataset, resolved, (time.perf_counter() - began) * 1000)
    name = result_name(held.attempt)
    size = write_table(folder_of(dataset.pk) / name, table)
    with transaction.atomic():
        finished = claims.update(
            held,
            state=DatasetState.SUCCEEDED,
            progress=1.0,
            spec=pins.as_json(),
            result_file=name,
            row_count=table.num_rows,
            byte_count=size,
            columns=_columns(table, pins),
            content_hash=content_hash(table),
            code_version=code_version(),
            finished_at=now(),
            builder_until=None,
        )
        if finished:
            record_dataset_lineage(dataset, pins, resolved)
    if finished:
        remove_others(dataset.pk, keep=(ENTITY_ROWS, name))


def _columns(table: pa.Table, pins: Pins) -> list[dict[str, Any]]:
    features = {feature.reference: feature for feature in pins.features}
    told: list[dict[str, Any]] = []
    for field in table.schema:
        column: dict[str, Any] = {"name": field.name, "type": str(field.type)}
        if field.name in features:
            column |= {"feature_id": features[field.name].feature_id, "mask": features[field.name].mask}
        told.append(column)
    return told


def _show(held: claims.Claim, share: float) -> None:
    if not claims.update(held, progress=share):
        raise Conflict("another builder has taken over this training dataset")


def _fail(held: claims.Claim, reason: str) -> None:
    claims.update(held, state=DatasetState.FAILED, error=reason, finished_at=now(), builder_until=None)


def _record_access(dataset: TrainingDataset, resolved: Sequence[ResolvedFeature], milliseconds: float) -> None:
    try:
        write_access_record(
            AccessRecord(
                at=now(),
                caller=dataset.created_by or "anonymous",
                token="",
                kind=ReadKind.HISTORICAL,
                feature_ids=tuple(item.version.public_id for item in resolved),
                feature_keys=tuple(item.version.feature_id for item in resolved),
                entities=dataset.entity_rows,
                milliseconds=milliseconds,
                status=200,
                request_id=current_actor().request_id,
            )
        )
    except OSError as error:
        raise Unavailable("the access log cannot be written, so the values are not read") from error
