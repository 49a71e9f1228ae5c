"""What is checked and what checking finds (pure: no Django)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from catalog.declarations import Severity
from catalog.value_types import ValueType

SAMPLE_ROWS = 10


@dataclass(frozen=True, slots=True)
class ColumnRules:
    """The rules of one value column. Bounds are inclusive; ``pattern`` must match the whole text.

    ``is_default`` says that row rules mean this column by the feature's name, when several majors are checked
    together. With ``source_problem`` there is nothing to check: the source gives no values.
    """

    value_column: str
    name: str
    value_type: ValueType
    min_value: float | None = None
    max_value: float | None = None
    pattern: str | None = None
    categories: tuple[str, ...] | None = None
    nullable: bool = True
    unique: bool = False
    severity: Severity = Severity.WARN
    is_default: bool = True
    source_problem: str = ""


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """How the rows stood to one rule. ``feature`` is None for a rule about whole rows.

    ``sample`` holds up to ten of the rows that broke it: {entity_key, event_timestamp, value}. A rule that compares
    one number of the whole column with a threshold (drift) says both in ``measured`` and ``threshold``.
    """

    rule: str
    feature: str | None
    value_column: str | None
    severity: Severity
    passed: bool
    checked: int
    failed: int
    message: str = ""
    sample: tuple[dict[str, Any], ...] = ()
    measured: float | None = None
    threshold: float | None = None

    @property
    def ratio(self) -> float | None:
        """What was measured as a multiple of its threshold; None where nothing was compared."""
        return self.measured / self.threshold if self.measured is not None and self.threshold else None


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a row was kept out."""

    rule: str
    feature: str | None
    message: str

    def as_json(self) -> dict[str, Any]:
        return {"rule": self.rule, "feature": self.feature, "message": self.message}


@dataclass(frozen=True)
class CheckOutcome:
    """What the rules say about a table; the masks are as long as the table.

    A rejected row is not flagged as well. ``reasons`` is by position in the table, for rejected rows.
    ``flags`` is the same for flagged rows.
    """

    results: tuple[RuleOutcome, ...]
    flagged: pa.BooleanArray
    rejected: pa.BooleanArray
    reasons: Mapping[int, tuple[Reason, ...]] = field(default_factory=dict)

    @property
    def fail(self) -> bool:
        """Whether a rule of severity fail was broken: the run must write nothing."""
        return any(result.severity is Severity.FAIL and not result.passed for result in self.results)

    @property
    def failures(self) -> tuple[RuleOutcome, ...]:
        """The broken rules of severity fail."""
        return tuple(result for result in self.results if result.severity is Severity.FAIL and not result.passed)


def number_text(value: float) -> str:
    """A number as it stands in a message: whole numbers without a point, others in their shortest exact form."""
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))
