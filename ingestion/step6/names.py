"""Matching features with the raw names of step 6: balance_mean ↔ Balance_mean ↔ the mean of Balance (pure)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_AGGREGATED = re.compile(r"(.+)_(sum|mean|std|min|max|median|mode|first|last|count|unique_count|nunique)")
_SUFFIXES = {"count_unique": "unique_count"}
# Of several aggregations of a column, the one that stands for the column itself.
_PREFERRED = ("mode", "mean", "first", "last", "max", "sum")


def words(name: str) -> tuple[str, ...]:
    """The words of a name in any spelling, in lower case: CreditScore_mean → credit, score, mean."""
    return tuple(word.lower() for word in _WORD.findall(name))


def aggregated_name(column: str, aggregation: str) -> str:
    """The raw name that step 6 gives to an aggregation of a raw column."""
    return f"{column}_{_SUFFIXES.get(aggregation, aggregation)}"


def split_aggregation(raw_name: str) -> tuple[str, str] | None:
    """(raw column, aggregation) of a raw name by its ending; None when it has no such ending."""
    found = _AGGREGATED.fullmatch(raw_name)
    return (found[1], found[2]) if found else None


def raw_name_of(
    *, name: str, source_column: str | None, known: Iterable[str], columns: Mapping[str, tuple[str, str]]
) -> str | None:
    """The raw name that a feature comes from, of those ``known``.

    Looked for by the feature's name, then by its source column, then as an aggregation of a raw column of that
    name (geography ← Geography_mode). ``columns`` is raw name → (raw column, aggregation).
    """
    by_words = {"".join(words(raw)): raw for raw in known}
    for candidate in (name, source_column):
        if candidate and (found := by_words.get("".join(words(candidate)))):
            return found
    if not source_column:
        return None
    wanted = "".join(words(source_column))
    fitting = {aggregation: raw for raw, (column, aggregation) in columns.items() if "".join(words(column)) == wanted}
    for aggregation in _PREFERRED:
        if aggregation in fitting:
            return fitting[aggregation]
    return next(iter(fitting.values())) if len(fitting) == 1 else None


def columns_in_formula(formula: str, raw_columns: Collection[str]) -> list[str]:
    """The raw columns that a formula speaks of: ``Balance / EstimatedSalary``, ``bin_credit_score``."""
    said = words(formula)
    found: list[tuple[int, str]] = []
    for column in raw_columns:
        parts = words(column)
        for start in range(len(said) - len(parts) + 1):
            if parts and said[start : start + len(parts)] == parts:
                found.append((start, column))
                break
    return [column for _, column in sorted(found)]
