"""Reading the metadata tables of a step-6 warehouse, where it has them (pure: no Django)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from catalog.errors import FeatureStoreError
from ingestion.extraction.request import json_value
from ingestion.extraction.sqlite import SqliteReader
from ingestion.step6.names import aggregated_name
from ingestion.step6.outputs import Problem, Transformation
from ingestion.step6.summary import mapping

TRANSFORMATIONS = "transformation_metadata"
DESCRIPTIONS = "feature_metadata"
MEASUREMENTS = "data_quality_metrics"


def read_rows(location: str, table: str) -> tuple[list[dict[str, Any]], list[Problem]]:
    """The rows of ``table``, oldest first, fit for JSON; none when the database has no such table."""
    reader = SqliteReader(location)
    try:
        if table not in reader.tables():
            return [], []
        with reader.opened(table) as opened:
            return list(_rows(opened.batches(list(opened.description.columns), 1000))), []
    except FeatureStoreError as error:
        return [], [Problem("step6_metadata_unreadable", f"{table} cannot be used: {error.message}")]


def transformation_of(rows: Sequence[Mapping[str, Any]]) -> tuple[Transformation | None, list[Problem]]:
    """The newest transformation whose configuration can be read."""
    problems: list[Problem] = []
    for row in sorted(rows, key=lambda row: str(row.get("transformation_date") or ""), reverse=True):
        try:
            configuration = json.loads(row.get("transformation_config") or "{}")
        except (TypeError, ValueError, RecursionError) as error:
            message = f"a transformation_config of {TRANSFORMATIONS} is no JSON: {error}"
            problems.append(Problem("step6_metadata_unreadable", message))
            continue
        return _transformation(row, mapping(configuration)), problems
    return None, problems


def descriptions_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Feature name → its row of ``feature_metadata``; of several, the last."""
    return {str(row["feature_name"]): dict(row) for row in rows if row.get("feature_name")}


def measurements_of(rows: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    """(table, column) → its newest row of ``data_quality_metrics``."""
    ordered = sorted(rows, key=lambda row: str(row.get("measurement_date") or ""))
    return {
        (str(row["table_name"]), str(row["column_name"])): dict(row)
        for row in ordered
        if row.get("table_name") and row.get("column_name")
    }


def _rows(batches: Iterator[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for batch in batches:
        names = list(batch)
        for values in zip(*batch.values(), strict=True):
            yield {name: json_value(value) for name, value in zip(names, values, strict=True)}


def _transformation(row: Mapping[str, Any], configuration: Mapping[str, Any]) -> Transformation:
    features = mapping(configuration.get("feature_engineering"))
    aggregations: dict[str, tuple[str, str]] = {}
    groups = mapping(features.get("customer_aggregations"))
    for declared in (item for group in groups.values() if isinstance(group, list) for item in group):
        column, kinds = mapping(declared).get("feature"), mapping(declared).get("aggregations")
        if isinstance(column, str) and isinstance(kinds, list):
            for kind in (kind for kind in kinds if isinstance(kind, str)):
                aggregations[aggregated_name(column, kind)] = (column, kind)
    derived = features.get("derived_features")
    return Transformation(
        run_at=_text(row.get("transformation_date")),
        input_records=_count(row.get("input_records")),
        output_records=_count(row.get("output_records")),
        aggregations=aggregations,
        derived={
            item["name"]: {key: item[key] for key in ("description", "formula", "bins", "labels") if key in item}
            for item in (derived if isinstance(derived, list) else [])
            if isinstance(item, dict) and isinstance(item.get("name"), str)
        },
        raw_columns=tuple(dict.fromkeys(column for column, _ in aggregations.values())),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) else None
