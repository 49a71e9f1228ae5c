"""The feature catalog as a table, and the metadata and schemas as JSON, for programs that read files."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from catalog.arrow_types import arrow_type
from ingestion.documentation.files import write_whole
from ingestion.documentation.gathering import Documentation
from ingestion.documentation.rendering import as_json

_TEXTS = (
    "feature_id",
    "name",
    "feature_group",
    "entity",
    "data_type",
    "version",
    "description",
    "source_table",
    "source_column",
    "owner",
    "status",
    "sensitivity",
    "source_problem",
    "creation_date",
    "last_updated",
    "newest_event",
)
_COUNTS = ("row_count", "null_count", "distinct_count")
_NUMBERS = ("mean_value", "std_dev")
_BOUNDS = ("min_value", "max_value")
_SHARES = ("completeness", "validity", "consistency")

SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in (*_TEXTS, "tags")),
        *((name, pa.int64()) for name in _COUNTS),
        # Bounds are those of any type, so they are text.
        *((name, pa.string()) for name in _BOUNDS),
        *((name, pa.float64()) for name in (*_NUMBERS, *_SHARES)),
    ]
)


def catalog_table(documentation: Documentation) -> pa.Table:
    """One row per feature in its default version, with statistics and quality."""
    return pa.Table.from_pylist([_row(feature) for feature in documentation.features], schema=SCHEMA)


def export_catalog(documentation: Documentation, *, directory: Path, formats: Sequence[str]) -> list[Path]:
    """Write ``feature_catalog.{json,csv,parquet}`` as asked for; returns what was written.

    :raises ValueError: on a format of another name.
    """
    table = catalog_table(documentation)
    written = []
    for name in formats:
        sink = io.BytesIO()
        match name:
            case "json":
                sink.write(orjson.dumps(table.to_pylist(), option=orjson.OPT_INDENT_2))
            case "csv":
                pacsv.write_csv(_safe_in_spreadsheets(table), sink)
            case "parquet":
                pq.write_table(table, sink)
            case _:
                raise ValueError(f"{name!r} is no export format; these are: json, csv, parquet")
        written.append(write_whole(directory / f"feature_catalog.{name}", sink.getvalue()))
    return written


def export_metadata(documentation: Documentation, *, path: Path) -> Path:
    """Write all metadata as one JSON file."""
    return write_whole(path, as_json(documentation).encode())


def export_schemas(documentation: Documentation, *, directory: Path) -> Path:
    """Write ``feature_schemas.json``: per group its join keys, and per feature its column and Arrow type."""
    content = {
        group.name: {
            "entity": group.about["entity"],
            "join_keys": group.about["join_keys"],
            "features": [
                {
                    "name": feature["name"],
                    "feature_id": feature["feature_id"],
                    "column": f"{feature['name']}_v{feature['version'].split('.')[0]}",
                    "type": feature["data_type"],
                    "arrow_type": str(arrow_type(feature["data_type"])),
                    "categories": feature["categories"],
                }
                for feature in group.features
            ],
        }
        for group in documentation.groups
    }
    return write_whole(directory / "feature_schemas.json", orjson.dumps(content, option=orjson.OPT_INDENT_2))


def _row(feature: dict[str, Any]) -> dict[str, Any]:
    statistics, quality = feature["statistics"] or {}, feature["quality_metrics"] or {}
    return {
        **{name: feature[name] for name in _TEXTS},
        "tags": ",".join(feature["tags"]),
        **{name: statistics.get(name) for name in (*_COUNTS, *_NUMBERS)},
        **{name: None if statistics.get(name) is None else str(statistics[name]) for name in _BOUNDS},
        **{name: quality.get(name) for name in _SHARES},
    }


def _safe_in_spreadsheets(table: pa.Table) -> pa.Table:
    """Texts that a spreadsheet would run as a formula get an apostrophe before them."""
    for index, column in enumerate(table.schema):
        if column.name in _TEXTS or column.name == "tags":
            texts = [
                f"'{text}" if isinstance(text, str) and text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text
                for text in table.column(index).to_pylist()
            ]
            table = table.set_column(index, column, pa.array(texts, pa.string()))
    return table
