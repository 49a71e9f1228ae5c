"""Every rule over every row, once (pure: no Django)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from catalog.declarations import RowRule, Severity
from ingestion.checks.columns import Mask, broken_rules
from ingestion.checks.rows import broken_rows, columns_of_rule
from ingestion.checks.rules import SAMPLE_ROWS, CheckOutcome, ColumnRules, Reason, RuleOutcome
from ingestion.extraction.request import Fault, json_value


@dataclass(frozen=True)
class _Finding:
    rule: str
    severity: Severity
    rows: Mask
    checked: int
    message: str
    column: ColumnRules | None = None
    raw: dict[int, Any] | None = None
    messages: dict[int, str] | None = None
    sampled: tuple[str, ...] = ()


def check_rows(
    table: pa.Table,
    rules: Sequence[ColumnRules],
    row_rules: Sequence[RowRule] = (),
    faults: Sequence[Fault] = (),
) -> CheckOutcome:
    """What the rules say about ``table`` (entity_key, event_timestamp, source_row and the value columns).

    ``faults`` are those of the extraction, matched by source_row. A broken key or timestamp always rejects its
    row; a value of the wrong type counts under the rule ``type`` with the column's severity. Rows that cannot
    be stored are left out of the row-level rules' samples, not of their counts.

    :raises InvalidInput: when a row-level rule names something else than features, or is no condition.
    """
    positions = _positions(table, faults)
    findings = [*_broken_rows(table, faults, positions)]
    for column in rules:
        findings.extend(_column_findings(table, column, faults, positions))
    for rule, rows, checked in broken_rows(table, row_rules, rules):
        message = rule.description or f"{rule.expression} is not true"
        named = columns_of_rule(rule, rules)
        findings.append(_Finding(f"row:{rule.name}", rule.severity, rows, checked, message, sampled=named))
    return _outcome(table, findings)


def merge_results(outcomes: Sequence[CheckOutcome]) -> tuple[RuleOutcome, ...]:
    """The results of consecutive batches as those of one table; ``unique`` holds within each batch only."""
    merged: dict[tuple[str, str | None], RuleOutcome] = {}
    for result in (result for outcome in outcomes for result in outcome.results):
        known = merged.get((result.rule, result.value_column))
        if known is None:
            merged[result.rule, result.value_column] = result
            continue
        merged[result.rule, result.value_column] = RuleOutcome(
            rule=result.rule,
            feature=result.feature,
            value_column=result.value_column,
            severity=result.severity,
            passed=known.passed and result.passed,
            checked=known.checked + result.checked,
            failed=known.failed + result.failed,
            message=known.message or result.message,
            sample=(*known.sample, *result.sample)[:SAMPLE_ROWS],
        )
    return tuple(merged.values())


def _positions(table: pa.Table, faults: Sequence[Fault]) -> dict[int, int]:
    if not faults:
        return {}
    rows: list[Any] = table.column("source_row").to_pylist()
    return {source_row: position for position, source_row in enumerate(rows)}


def _broken_rows(table: pa.Table, faults: Sequence[Fault], positions: dict[int, int]) -> Iterator[_Finding]:
    for rule in ("key", "timestamp"):
        rows = np.zeros(table.num_rows, dtype=np.bool_)
        raw: dict[int, Any] = {}
        messages: dict[int, str] = {}
        for fault in faults:
            if fault.rule == rule and fault.source_row in positions:
                at = positions[fault.source_row]
                rows[at] = True
                raw.setdefault(at, fault.raw)
                messages.setdefault(at, fault.message)
        message = f"the {'entity key' if rule == 'key' else 'timestamp'} cannot be read"
        yield _Finding(rule, Severity.REJECT, rows, table.num_rows, message, raw=raw, messages=messages)


def _column_findings(
    table: pa.Table, column: ColumnRules, faults: Sequence[Fault], positions: dict[int, int]
) -> Iterator[_Finding]:
    if column.source_problem:
        return
    unreadable = np.zeros(table.num_rows, dtype=np.bool_)
    raw: dict[int, Any] = {}
    messages: dict[int, str] = {}
    for fault in faults:
        if fault.rule == "type" and fault.value_column == column.value_column and fault.source_row in positions:
            at = positions[fault.source_row]
            unreadable[at] = True
            raw[at] = fault.raw
            messages[at] = f"{column.name}: {fault.message}"
    values = table.column(column.value_column)
    present = table.num_rows - values.null_count + int(unreadable.sum())
    message = f"{column.name} cannot be read as {column.value_type.value}"
    yield _Finding("type", column.severity, unreadable, present, message, column, raw, messages)
    for broken in broken_rules(table, column, unreadable=unreadable):
        yield _Finding(broken.rule, column.severity, broken.rows, broken.checked, broken.message, column)


def _outcome(table: pa.Table, findings: Sequence[_Finding]) -> CheckOutcome:
    flagged = np.zeros(table.num_rows, dtype=np.bool_)
    rejected = np.zeros(table.num_rows, dtype=np.bool_)
    reasons: dict[int, list[Reason]] = defaultdict(list)
    results = []
    for finding in findings:
        failed = int(finding.rows.sum())
        feature = finding.column.name if finding.column else None
        if finding.severity is Severity.REJECT:
            rejected |= finding.rows
            for at in np.flatnonzero(finding.rows).tolist():
                message = (finding.messages or {}).get(at, finding.message)
                reasons[at].append(Reason(finding.rule, feature, message))
        else:
            flagged |= finding.rows
        results.append(
            RuleOutcome(
                rule=finding.rule,
                feature=feature,
                value_column=finding.column.value_column if finding.column else None,
                severity=finding.severity,
                passed=failed == 0,
                checked=finding.checked,
                failed=failed,
                message="" if failed == 0 else f"{finding.message}: {failed} of {finding.checked} rows",
                sample=tuple(_sampled(table, finding)),
            )
        )
    return CheckOutcome(
        results=tuple(results),
        flagged=pa.array(flagged & ~rejected),
        rejected=pa.array(rejected),
        reasons={at: tuple(found) for at, found in sorted(reasons.items())},
    )


def _sampled(table: pa.Table, finding: _Finding) -> Iterator[dict[str, Any]]:
    for at in np.flatnonzero(finding.rows)[:SAMPLE_ROWS].tolist():
        if finding.raw is not None and at in finding.raw:
            value = finding.raw[at]
        elif finding.column is not None:
            value = json_value(table.column(finding.column.value_column)[at].as_py())
        else:
            value = {name: json_value(table.column(name)[at].as_py()) for name in finding.sampled}
        yield {
            "entity_key": table.column("entity_key")[at].as_py(),
            "event_timestamp": json_value(table.column("event_timestamp")[at].as_py()),
            "value": value,
        }
