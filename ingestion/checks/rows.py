"""Which rows break row-level rules: expressions over feature names that must not be false (pure: no Django)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from catalog.declarations import RowRule
from catalog.errors import InvalidInput
from ingestion.checks.columns import Mask, as_mask
from ingestion.checks.rules import ColumnRules
from ingestion.expressions import columns_named, evaluate, unknown_columns


def broken_rows(
    table: pa.Table, rules: Sequence[RowRule], columns: Sequence[ColumnRules]
) -> list[tuple[RowRule, Mask, int]]:
    """For each rule the rows for which its expression is false, and for how many it was true or false.

    A row for which the expression is null is not broken.

    :raises InvalidInput: when an expression names something else than features, or is no condition.
    """
    if not rules:
        return []
    names = names_of(columns)
    for rule in rules:
        _check_names(rule, names)
    rows = table.select(list(names.values())).rename_columns(list(names))
    answers = evaluate({rule.name: rule.expression for rule in rules}, rows)
    false: Any = False
    found = []
    for rule in rules:
        answer: Any = answers.column(rule.name)
        if not pa.types.is_boolean(answer.type) and not pa.types.is_null(answer.type):
            message = f"the rule {rule.name} is no condition, but gives a {answer.type}: {rule.expression!r}"
            raise InvalidInput(message, details={"rule": rule.name})
        found.append((rule, as_mask(pc.equal(answer, false)), len(answer) - answer.null_count))
    return found


def names_of(columns: Sequence[ColumnRules]) -> Mapping[str, str]:
    """What an expression may say → the value column it means: each value column, and each feature by its name."""
    names = {rules.value_column: rules.value_column for rules in columns}
    for rules in sorted(columns, key=lambda rules: rules.is_default):
        names[rules.name] = rules.value_column
    return names


def columns_of_rule(rule: RowRule, columns: Sequence[ColumnRules]) -> tuple[str, ...]:
    """The value columns that the expression of ``rule`` reads.

    :raises InvalidInput: when it names something else than features.
    """
    names = {name.lower(): column for name, column in names_of(columns).items()}
    _check_names(rule, names)
    return tuple(dict.fromkeys(names[name.lower()] for name in columns_named(rule.expression)))


def _check_names(rule: RowRule, names: Mapping[str, str]) -> None:
    for unknown, near in unknown_columns(rule.expression, list(names)).items():
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        raise InvalidInput(
            f"the rule {rule.name} names {unknown}, which is no feature of the group{hint}",
            details={"rule": rule.name, "nearest": near},
        )
