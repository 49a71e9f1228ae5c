"""Making a training dataset again from its pins, to see whether it comes out the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.fs as pafs
from django.contrib.auth.models import AnonymousUser

from catalog.clock import now
from catalog.errors import Conflict
from catalog.models import FeatureGroup
from catalog.references import ResolvedFeature
from catalog.wording import gettext as _
from serving.clearance import ColumnMask
from serving.datasets.building import code_version, joined
from serving.datasets.comparing import Comparison, DifferingCell, compare
from serving.datasets.content_hash import content_hash
from serving.datasets.files import ENTITY_ROWS, folder_of, read_table
from serving.datasets.pins import PinnedTable, Pins, has_other_secret, masks_of, resolved_from
from serving.instants import iso_text
from serving.models import DatasetState, TrainingDataset
from serving.models.fields import to_microseconds
from serving.stores.offline import History, open_history

MOST_CELLS = 100


@dataclass(frozen=True)
class TableUsed:
    """Which version of a group's history was pinned, and which one answered now."""

    group: str
    pinned: int | None
    used: int | None


@dataclass(frozen=True)
class Verification:
    """What making the dataset again has shown.

    ``reasons`` say what is no longer as it was pinned, also where the values are the same all the same.
    ``differences`` are the first :data:`MOST_CELLS` of ``differing_cells``.
    """

    identical: bool
    checked_at: datetime
    row_count: int
    content_hash: str
    recomputed_hash: str
    tables: tuple[TableUsed, ...]
    differing_cells: int
    differing_columns: dict[str, int]
    differences: tuple[DifferingCell, ...]
    reasons: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The report as JSON has it."""
        return {**asdict(self), "checked_at": iso_text(to_microseconds(self.checked_at))}


def verify_dataset(dataset: TrainingDataset) -> Verification:
    """Make the dataset again from its pinned table versions and its known-at, and compare every cell.

    Where a pinned version is no longer there, the newest one answers with what was known then, and the report
    says so. The report is kept on the dataset's row.

    :raises Conflict: when the dataset is not finished, or its entity rows or a feature are no longer there.
    """
    if dataset.state != DatasetState.SUCCEEDED:
        raise Conflict(
            _("the training dataset %(name)s is %(state)s and has nothing to verify")
            % {"name": dataset.name, "state": dataset.state},
            details={"id": str(dataset.pk), "state": dataset.state},
        )
    entity_rows = read_table(folder_of(dataset.pk) / ENTITY_ROWS)
    if content_hash(entity_rows) != dataset.entity_rows_hash:
        raise Conflict(_("the file of its entity rows is not the one that was stored, so nothing can be made from it"))
    pins = Pins.of(dataset.spec)
    resolved = resolved_from(pins)
    masks = masks_of(pins, resolved)
    reasons: list[str] = []
    versions = {table.group: _answering(table, pins, reasons) for table in pins.tables}
    again = joined(
        pins=pins,
        entity_rows=entity_rows,
        user=AnonymousUser(),
        resolved=resolved,
        masks=masks,
        table_versions=versions,
    )
    stored = _stored(dataset, again, reasons)
    report = _report(dataset, pins, versions, again, stored, reasons, _other_secrets(pins, resolved, masks))
    TrainingDataset.objects.filter(pk=dataset.pk).update(verification=report.as_json(), verified_at=report.checked_at)
    return report


def _answering(table: PinnedTable, pins: Pins, reasons: list[str]) -> int | None:
    """The version that answers in place of the pinned one, which is that one unless it is gone."""
    if table.version is None:
        return None
    group = FeatureGroup.objects.get(name=table.group)
    newest = open_history(group)
    if newest is None:
        reasons.append(f"the history of {table.group} is no longer there; it is taken as empty")
        return None
    instead = (
        f"its newest version {newest.version} answers instead, with what was known by "
        f"{iso_text(to_microseconds(pins.known_at))}"
    )
    if str(newest.table.metadata().id) != table.table_id:
        reasons.append(f"the history of {table.group} was made anew since, as another table; {instead}")
        return newest.version
    try:
        pinned = open_history(group, version=table.version)
    except Conflict:
        pinned = None
    if pinned is None or not _is_whole(pinned):
        reasons.append(f"version {table.version} of the history of {table.group} was vacuumed; {instead}")
        return newest.version
    return table.version


def _is_whole(history: History) -> bool:
    """Whether all data files of the version are still there."""
    found = history.dataset.filesystem.get_file_info(list(history.dataset.files))
    return all(info.type == pafs.FileType.File for info in found)


def _stored(dataset: TrainingDataset, again: pa.Table, reasons: list[str]) -> pa.Table | None:
    """The result that was stored; None where it cannot be compared."""
    try:
        stored = read_table(folder_of(dataset.pk) / dataset.result_file)
    except Conflict as error:
        reasons.append(error.message)
        return None
    if content_hash(stored) != dataset.content_hash:
        reasons.append("the stored file is not the one that was built: its content has another hash")
    if stored.column_names != again.column_names or stored.num_rows != again.num_rows:
        reasons.append("the stored file has other rows or columns than were built")
        return None
    return stored


def _other_secrets(pins: Pins, resolved: Sequence[ResolvedFeature], masks: Sequence[ColumnMask | None]) -> list[str]:
    return [
        item.reference
        for pinned, item, mask in zip(pins.features, resolved, masks, strict=True)
        if has_other_secret(pinned, mask)
    ]


def _report(
    dataset: TrainingDataset,
    pins: Pins,
    versions: dict[str, int | None],
    again: pa.Table,
    stored: pa.Table | None,
    reasons: list[str],
    other_secrets: list[str],
) -> Verification:
    recomputed = content_hash(again)
    references = [feature.reference for feature in pins.features]
    found = (
        Comparison(counts={}, first=())
        if stored is None
        else compare(stored, again, columns=references, most=MOST_CELLS)
    )
    identical = recomputed == dataset.content_hash and stored is not None and not found.total
    if not identical:
        reasons = [*reasons, *_why(dataset, pins, versions, found, other_secrets)]
    return Verification(
        identical=identical,
        checked_at=now(),
        row_count=again.num_rows,
        content_hash=dataset.content_hash,
        recomputed_hash=recomputed,
        tables=tuple(
            TableUsed(group=table.group, pinned=table.version, used=versions[table.group]) for table in pins.tables
        ),
        differing_cells=found.total,
        differing_columns=found.counts,
        differences=found.first,
        reasons=tuple(reasons),
    )


def _why(
    dataset: TrainingDataset,
    pins: Pins,
    versions: dict[str, int | None],
    found: Comparison,
    other_secrets: list[str],
) -> list[str]:
    """Why cells differ, group by group, as far as the pins can tell."""
    reasons = []
    unexplained = set(found.counts) - set(other_secrets)
    groups = {feature.group for feature in pins.features if feature.reference in unexplained}
    for table in pins.tables:
        if table.group not in groups:
            continue
        if versions[table.group] == table.version:
            reasons.append(
                f"version {table.version} of the history of {table.group} itself answers differently: its files were "
                "changed after they were written"
            )
        else:
            reasons.append(
                f"the history of {table.group} was rewritten after version {table.version}: rows known by then were "
                "changed, removed, or added with an earlier created timestamp"
            )
    if other_secrets:
        reasons.append(f"{', '.join(other_secrets)}: masked with another secret now, as the secret key was changed")
    if dataset.code_version != code_version():
        reasons.append(f"it was built by {dataset.code_version} and made again by {code_version()}")
    return reasons
