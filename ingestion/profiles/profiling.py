"""Profiles of the newest row of every entity (pure: no Django)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from catalog.declarations import RowRule
from ingestion.checks.columns import Mask, as_mask, broken_rules
from ingestion.checks.rows import broken_rows, columns_of_rule
from ingestion.checks.rules import ColumnRules
from ingestion.profiles.profile import Profile
from ingestion.profiles.statistics import statistics_of

# Rules that speak about the presence of values rather than about the values themselves.
_OF_PRESENCE = frozenset({"nullable"})
_IDENTITY = ("entity_key", "event_timestamp", "created_timestamp")
_KEYS = frozenset({"entity_key", "event_timestamp", "created_timestamp", "run_id", "arrival", "source_row"})


def profile_columns(
    table: pa.Table,
    columns: Sequence[ColumnRules],
    row_rules: Sequence[RowRule] = (),
    *,
    unreadable: Mapping[str, Collection[str]] | None = None,
    contradicted: Mapping[str, Collection[str]] | None = None,
) -> dict[str, Profile]:
    """The profile of every column, by value column, over ``table``: one row, the newest, per entity.

    ``unreadable`` names, per value column, the entity keys whose source value was not of the declared type;
    ``contradicted`` those for which the source says several values at one event (:func:`contradictions`).

    :raises InvalidInput: when a row rule names something else than features, or is no condition.
    """
    inconsistent = {column.value_column: np.zeros(table.num_rows, dtype=np.bool_) for column in columns}
    for rule, rows, _ in broken_rows(table, row_rules, columns):
        for value_column in columns_of_rule(rule, columns):
            inconsistent[value_column] |= rows
    for named in (unreadable or {}, contradicted or {}):
        for value_column, keys in named.items():
            if value_column in inconsistent and keys:
                inconsistent[value_column] |= _of_entities(table, keys)
    return {column.value_column: _profile(table, column, inconsistent[column.value_column]) for column in columns}


def contradictions(rows: pa.Table) -> dict[str, set[str]]:
    """Value column → the entity keys for which ``rows`` hold different values at the same event and creation.

    Rows that differ in their created timestamp are corrections, not contradictions.
    """
    identity: list[str] = [
        name for name in ("entity_key", "event_timestamp", "created_timestamp") if name in rows.column_names
    ]
    repeated = rows.group_by(identity).aggregate([([], "count_all")])
    count: Any = repeated.column("count_all")
    one: Any = 1
    keys = repeated.filter(pc.greater(count, one)).column("entity_key")
    if not len(keys):
        return {}
    entity: Any = rows.column("entity_key")
    suspects = rows.filter(pc.is_in(entity, value_set=pc.unique(keys)))
    found: dict[str, set[str]] = {}
    for name in rows.column_names:
        if name in _KEYS or pa.types.is_nested(rows.schema.field(name).type):
            continue
        pairs = suspects.select([*identity, name])
        values = pairs.group_by(identity).aggregate([(name, "count_distinct", pc.CountOptions(mode="all"))])
        several: Any = values.column(f"{name}_count_distinct")
        broken = values.filter(pc.greater(several, one)).column("entity_key").to_pylist()
        if broken:
            found[name] = {str(key) for key in broken}
    return found


def _profile(table: pa.Table, column: ColumnRules, inconsistent: Mask) -> Profile:
    values: Any = table.column(column.value_column)
    rows, nulls = table.num_rows, values.null_count
    present = rows - nulls
    statistics = statistics_of(values, column.value_type)
    events: Any = table.column("event_timestamp")
    newest = pc.max(events.filter(pc.is_valid(values))).as_py() if present else None
    return Profile(
        value_column=column.value_column,
        name=column.name,
        row_count=rows,
        null_count=nulls,
        distinct_count=statistics.distinct_count,
        min_value=statistics.min_value,
        max_value=statistics.max_value,
        mean_value=statistics.mean_value,
        std_dev=statistics.std_dev,
        quantiles=statistics.quantiles,
        histogram=statistics.histogram,
        top_values=statistics.top_values,
        completeness=present / rows if rows else None,
        validity=_validity(table, column, present),
        # A column for which every entity is inconsistent has no readable value and is measured all the same.
        consistency=1 - int(inconsistent.sum()) / rows if present or inconsistent.any() else None,
        newest_event=newest,
        source_problem=column.source_problem,
    )


def _validity(table: pa.Table, column: ColumnRules, present: int) -> float | None:
    if not present:
        return None
    broken = np.zeros(table.num_rows, dtype=np.bool_)
    for found in broken_rules(table, column):
        if found.rule not in _OF_PRESENCE:
            broken |= found.rows
    return 1 - int(broken.sum()) / present


def _of_entities(table: pa.Table, keys: Collection[str]) -> Mask:
    entity: Any = table.column("entity_key")
    return as_mask(pc.is_in(entity, value_set=pa.array(sorted(keys), pa.string())))
