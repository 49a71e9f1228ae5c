"""Who may have the values of a training dataset, and giving them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc

from catalog.access import Capability, Reader, may
from catalog.errors import Conflict, InvalidInput, NotFound, PermissionDenied
from catalog.references import ResolvedFeature
from catalog.wording import gettext as _
from serving.clearance import masks_for
from serving.datasets.files import folder_of, read_table
from serving.datasets.pins import Pins, resolved_from
from serving.datasets.splitting import SPLIT, SplitRule, rows_where, split_dataset
from serving.models import DatasetState, TrainingDataset


def find_dataset(dataset_id: UUID, *, user: Reader) -> TrainingDataset:
    """The dataset, of those that ``user`` may know of.

    :raises NotFound: when there is none.
    """
    found = TrainingDataset.objects.visible_to(user).select_related("user").filter(pk=dataset_id).first()
    if found is None:
        raise NotFound(
            _("there is no training dataset %(dataset_id)s") % {"dataset_id": dataset_id},
            details={"id": str(dataset_id)},
        )
    return found


def closed_columns(dataset: TrainingDataset, *, user: Reader) -> list[str]:
    """The columns that are clear in the dataset and whose values ``user`` may not see."""
    pins = Pins.of(dataset.spec)
    masks = masks_for(user=user, resolved=resolved_from(pins))
    return [
        pinned.reference
        for pinned, mask in zip(pins.features, masks, strict=True)
        if pinned.mask is None and mask is not None
    ]


def refuse_closed(dataset: TrainingDataset, *, user: Reader) -> None:
    """:raises PermissionDenied: unless ``user`` may see every value that the dataset holds in the clear."""
    if not may(user, Capability.READ_VALUES):
        raise PermissionDenied(_("this needs the capability read_values, which your role does not give"))
    closed = closed_columns(dataset, user=user)
    if closed:
        raise PermissionDenied(
            _(
                "the training dataset holds values of %(closed)s that you may not see; ask for access to "
                "their groups, or make one of your own, in which they are masked"
            )
            % {"closed": ", ".join(closed)},
            details={"features": closed},
        )


def refuse_without_values(dataset: TrainingDataset) -> None:
    """:raises Conflict: unless the dataset is built and not archived."""
    details = {"id": str(dataset.pk), "state": dataset.state}
    if dataset.archived_at is not None:
        raise Conflict(_("the training dataset %(name)s is archived") % {"name": dataset.name}, details=details)
    if dataset.state != DatasetState.SUCCEEDED:
        why = f": {dataset.error}" if dataset.error else "; ask again when it has succeeded"
        raise Conflict(
            _("the training dataset %(name)s is %(state)s%(why)s")
            % {"name": dataset.name, "state": dataset.state, "why": why},
            details=details,
        )


def open_dataset(dataset: TrainingDataset) -> pa.Table:
    """The whole result.

    :raises Conflict: when it is not there (see :func:`refuse_without_values`) or its file is damaged.
    """
    refuse_without_values(dataset)
    return read_table(folder_of(dataset.pk) / dataset.result_file)


def open_result(dataset: TrainingDataset) -> BinaryIO:
    """The file of the whole result, as it was written.

    :raises Conflict: when it is gone.
    """
    path = folder_of(dataset.pk) / dataset.result_file
    try:
        return path.open("rb")
    except OSError as error:
        raise Conflict(
            _("the file %(name)s of the training dataset cannot be read: %(strerror)s")
            % {"name": path.name, "strerror": error.strerror},
            details={"file": path.name},
        ) from error


def open_split(dataset: TrainingDataset, *, rule: SplitRule, part: str | None = None) -> pa.Table:
    """The rows of one part; without ``part`` all rows, with a column that names the part of each.

    :raises InvalidInput: when there is no such part, or the dataset has a column of that name already.
    """
    if part is not None and part not in rule.fractions:
        raise InvalidInput(
            _("there is no part %(part)r; the parts are %(fractions)s")
            % {"part": part, "fractions": ", ".join(rule.fractions)},
            details={"field": "split"},
        )
    table = open_dataset(dataset)
    parts = split_dataset(table, rule=rule, key_columns=Pins.of(dataset.spec).entities[0].columns)
    if part is not None:
        return rows_where(table, pc.equal(parts, part))
    if SPLIT in table.column_names:
        raise InvalidInput(
            _("the dataset has a column %(split)s already; ask for one part by ?split=") % {"split": SPLIT},
            details={"field": SPLIT},
        )
    return table.append_column(SPLIT, parts)


def read_features(dataset: TrainingDataset) -> Sequence[ResolvedFeature]:
    """The features whose values it holds, for the record of a read."""
    return resolved_from(Pins.of(dataset.spec))
