"""What fell short of the quality that is wanted (pure: no Django)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from catalog.declarations import Severity
from ingestion.checks.rules import RuleOutcome
from ingestion.profiles.profile import Profile


class Thresholds(Protocol):
    """The least shares that are good enough."""

    @property
    def completeness_min(self) -> float: ...

    @property
    def validity_min(self) -> float: ...

    @property
    def consistency_min(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Shortfall:
    """One measure of one feature, or one rule of severity fail, that was missed."""

    feature: str | None
    rule: str
    measured: float | None
    wanted: float | None
    message: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def quality_report(
    profiles: Iterable[Profile], thresholds: Thresholds | None, results: Sequence[RuleOutcome] = ()
) -> tuple[Shortfall, ...]:
    """All that fell short, by feature in the order of ``profiles``; then broken rules of severity fail.

    A measure that is None has nothing to say and does not fall short, except that a feature whose source gives
    no values is incomplete as soon as its group has rows. Without ``thresholds`` no share is too small.
    """
    found: list[Shortfall] = []
    for profile in profiles if thresholds is not None else ():
        assert thresholds is not None
        for rule, measured, wanted in (
            ("completeness", profile.completeness, thresholds.completeness_min),
            ("validity", profile.validity, thresholds.validity_min),
            ("consistency", profile.consistency, thresholds.consistency_min),
        ):
            if measured is not None and measured < wanted:
                found.append(Shortfall(profile.name, rule, measured, wanted, _message(profile, rule, measured, wanted)))
    found.extend(
        Shortfall(
            feature=result.feature,
            rule=result.rule,
            measured=1 - result.failed / result.checked if result.checked else None,
            wanted=1.0,
            message=result.message,
        )
        for result in results
        if result.severity is Severity.FAIL and not result.passed
    )
    return tuple(found)


def _message(profile: Profile, rule: str, measured: float, wanted: float) -> str:
    text = f"{profile.name}: {rule} is {measured:.4f}, and at least {wanted:g} is wanted"
    return f"{text} ({profile.source_problem})" if profile.source_problem and rule == "completeness" else text
