"""Code to copy for one training dataset, with the reader's own address."""

from __future__ import annotations

import json
from collections.abc import Sequence
from uuid import UUID

from catalog.snippets import Snippet
from catalog.wording import gettext as _
from serving.datasets.pins import PinnedFeature, Pins
from serving.instants import iso_text
from serving.key_map import KeyMap
from serving.models.fields import to_microseconds


def dataset_snippets(
    *, base_url: str, dataset_id: UUID, name: str, entity_columns: Sequence[str], pins: Pins
) -> list[Snippet]:
    """Using it, and making it again from what was pinned; both in Python."""
    return [
        Snippet("use-dataset", _("Use it (Python)"), use_snippet(base_url=base_url, dataset_id=dataset_id)),
        Snippet(
            "remake-dataset",
            _("Make it again (Python)"),
            remake_snippet(
                base_url=base_url, dataset_id=dataset_id, name=name, entity_columns=entity_columns, pins=pins
            ),
        ),
    ]


def use_snippet(*, base_url: str, dataset_id: UUID) -> str:
    """Reading its parts for training and testing."""
    return (
        f"{_connect(base_url)}\n"
        f'train = client.download_dataset({_text(str(dataset_id))}, split="train", seed=0)\n'
        f'test = client.download_dataset({_text(str(dataset_id))}, split="test", seed=0)'
    )


def remake_snippet(*, base_url: str, dataset_id: UUID, name: str, entity_columns: Sequence[str], pins: Pins) -> str:
    """The same entity rows, feature versions, table versions and instants once more, and whether it is the same."""
    named = [_pinned_reference(feature, pins.read_key_map) for feature in pins.features]
    versions = {table.group: table.version for table in pins.tables if table.version is not None}
    span = {
        end: iso_text(to_microseconds(instant))
        for end, instant in (("start", pins.start), ("end", pins.end))
        if instant is not None
    }
    known_at = "event_time" if pins.known_at_event_time else iso_text(to_microseconds(pins.known_at))
    lines = [
        "import pandas as pd",
        _connect(base_url),
        f"made = client.download_dataset({_text(str(dataset_id))}, as_table=True)",
        "again = client.create_training_dataset(",
        f"    {_text(name)},",
        f"    made.select({json.dumps(list(entity_columns), ensure_ascii=False)}),",
        f"    features={json.dumps(named)},",
        *([f"    timestamp_range={json.dumps(span)},"] if span else []),
        *([f"    key_map={json.dumps(pins.key_map, ensure_ascii=False)},"] if pins.key_map else []),
        f"    as_known_at={_text(known_at)},",
        f"    at={_text(iso_text(to_microseconds(pins.at)))},",
        f"    table_versions={json.dumps(versions)},",
        ")",
        "client.wait_for_dataset(again)",
        "remade = client.download_dataset(again, as_table=True).rename_columns(made.column_names)",
        "pd.testing.assert_frame_equal(remade.to_pandas(), made.to_pandas())  # says nothing when they are the same",
    ]
    return "\n".join(lines)


def _pinned_reference(feature: PinnedFeature, key_map: KeyMap) -> str:
    alias, reference = key_map.parts_of(feature.reference)
    name = reference.rpartition(":")[2].partition("@")[0]
    return ("" if alias is None else f"{alias}.") + f"{feature.group}:{name}@{feature.version}"


def _connect(base_url: str) -> str:
    return (
        "from feature_store_client import FeatureStoreClient\n\n"
        "# The token is read from FEATURESTORE_TOKEN.\n"
        f"client = FeatureStoreClient({_text(base_url)})"
    )


def _text(value: str) -> str:
    """A Python text literal; JSON's form is one."""
    return json.dumps(value, ensure_ascii=False)
