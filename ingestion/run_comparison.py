"""Two runs side by side: their facts, counts, and what the rules found in each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from catalog.access import Reader
from catalog.errors import InvalidInput, NotFound
from catalog.presentation import NONE, format_instant, format_number, format_span
from catalog.terms import word_of
from catalog.wording import Promise, gettext_lazy
from catalog.wording import gettext as _
from ingestion.models import IngestionRun, RuleResult

COUNTS: tuple[tuple[str, Promise], ...] = (
    ("rows_read", gettext_lazy("Read")),
    ("rows_unchanged", gettext_lazy("Unchanged")),
    ("rows_superseded", gettext_lazy("Superseded")),
    ("rows_flagged", gettext_lazy("Flagged")),
    ("rows_rejected", gettext_lazy("Kept out")),
    ("rows_appended", gettext_lazy("Appended to history")),
    ("rows_online", gettext_lazy("Changed online")),
)


@dataclass(frozen=True, slots=True)
class Compared:
    """One line: the texts of both, and how far the second is from the first where that is a number."""

    name: str
    first: str
    second: str
    difference: str = ""

    @property
    def differs(self) -> bool:
        return self.first != self.second


@dataclass(frozen=True, slots=True)
class ComparedRule:
    """One rule in both: rows that broke it; None where the run did not check it."""

    feature: str
    rule: str
    first: int | None
    second: int | None
    passed_first: bool | None
    passed_second: bool | None

    @property
    def differs(self) -> bool:
        return (self.first, self.passed_first) != (self.second, self.passed_second)

    @property
    def difference(self) -> int | None:
        return None if self.first is None or self.second is None else self.second - self.first


def two_runs(ids: Sequence[str], *, user: Reader) -> tuple[IngestionRun, IngestionRun]:
    """The two runs with these ids, the older first.

    :raises InvalidInput: unless there are two different ids.
    :raises NotFound: on one that is no run which ``user`` may know of.
    """
    try:
        wanted = list(dict.fromkeys(UUID(one) for one in ids))
    except ValueError as error:
        raise InvalidInput(_("run is the id of a run, given twice: run=…&run=…"), details={"field": "run"}) from error
    if len(wanted) != 2:
        raise InvalidInput(
            _("two runs are compared; choose two, not %(count)s") % {"count": len(wanted)},
            details={"field": "run", "given": len(wanted)},
        )
    visible = IngestionRun.objects.visible_to(user).select_related("group").defer("log", "error")
    found = sorted(visible.filter(pk__in=wanted), key=lambda run: run.created_at)
    missing = sorted(str(one) for one in set(wanted) - {run.pk for run in found})
    if missing:
        raise NotFound(_("there is no run %(missing)s") % {"missing": missing[0]}, details={"id": missing[0]})
    return found[0], found[1]


def run_before(run: IngestionRun, *, user: Reader) -> IngestionRun | None:
    """The run before ``run`` of the same group and kind, of those that ``user`` may know of. One query."""
    alike = IngestionRun.objects.visible_to(user).filter(group=run.group_id, kind=run.kind)
    return alike.filter(created_at__lt=run.created_at).defer("log").order_by("-created_at", "-id").first()


def results_of(runs: Sequence[IngestionRun]) -> dict[UUID, list[RuleResult]]:
    """What the rules found in each of ``runs``, without samples and messages, which may quote values. One query."""
    found: dict[UUID, list[RuleResult]] = {run.pk: [] for run in runs}
    results = RuleResult.objects.filter(report__run__in=list(found)).select_related("report", "version__feature")
    for result in results.defer("sample", "message", "report__shortfalls"):
        if result.report.run_id is not None:
            found[result.report.run_id].append(result)
    return found


def compare_runs(first: IngestionRun, second: IngestionRun) -> list[Compared]:
    """The facts and counts of two runs, line by line."""
    said: tuple[tuple[str, Callable[[IngestionRun], str]], ...] = (
        (_("Group"), lambda run: run.group.name),
        (_("Kind"), lambda run: run.get_kind_display()),
        (_("State"), lambda run: run.get_state_display()),
        (_("Asked for"), lambda run: format_instant(run.created_at)),
        (_("By"), lambda run: f"{run.requested_by or NONE} ({word_of(run.trigger)})"),
        (_("Attempts"), lambda run: str(run.attempts)),
        (_("Table version"), lambda run: NONE if run.table_version is None else str(run.table_version)),
    )
    lines = [Compared(name, tell(first), tell(second)) for name, tell in said]
    lines.append(_took(first.seconds, second.seconds))
    for field, name in COUNTS:
        one, other = getattr(first, field), getattr(second, field)
        lines.append(Compared(str(name), format_number(one), format_number(other), _signed(other - one)))
    return lines


def compare_rules(first: Sequence[RuleResult], second: Sequence[RuleResult]) -> list[ComparedRule]:
    """Every rule that either run checked, those that differ first, then by feature."""
    ones, others = _by_rule(first), _by_rule(second)
    lines = [
        ComparedRule(
            feature=key[0],
            rule=key[1],
            first=None if (one := ones.get(key)) is None else one.failed,
            second=None if (other := others.get(key)) is None else other.failed,
            passed_first=None if one is None else one.passed,
            passed_second=None if other is None else other.passed,
        )
        for key in {**ones, **others}
    ]
    return sorted(lines, key=lambda line: (not line.differs, line.feature, line.rule))


def _by_rule(results: Sequence[RuleResult]) -> dict[tuple[str, str], RuleResult]:
    return {
        ("" if one.version is None else f"{one.version.feature.name} v{one.version.major}", one.rule): one
        for one in results
    }


def _took(first: float | None, second: float | None) -> Compared:
    shown = [NONE if one is None else format_span(timedelta(seconds=one)) for one in (first, second)]
    difference = ""
    if first and second is not None:
        difference = f"{second / first:.1f}×"
    return Compared(_("Took"), shown[0], shown[1], difference)


def _signed(difference: int) -> str:
    if not difference:
        return ""
    return f"{'+' if difference > 0 else '−'}{format_number(abs(difference))}"
