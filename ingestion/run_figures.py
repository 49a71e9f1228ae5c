"""Runs as drawings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse

from catalog.drawings import (
    Lane,
    Markup,
    Outcome,
    Span,
    Table,
    TopValue,
    gantt,
    gantt_table,
    run_strip,
    top_values,
)
from catalog.presentation import format_instant, format_number, format_share
from catalog.terms import word_of
from catalog.wording import gettext as _
from ingestion.last_day import LastDay
from ingestion.models import IngestionRun, RunKind


@dataclass(frozen=True)
class DrawnRuns:
    """A drawing of runs and the table that says the same; ``left_out`` runs are in neither. ``due`` is how often one
    was to begin by its schedule."""

    drawing: Markup
    table: Table
    runs: int
    left_out: int
    due: int = 0
    groups_left_out: int = 0


def strip_of(runs: Sequence[IngestionRun]) -> Markup:
    """One bar per run; ``runs`` newest first, drawn oldest first."""
    counted = Counter(run.state for run in runs)
    said = ", ".join(f"{count} {word_of(state)}" for state, count in counted.items())
    return run_strip(
        outcomes=[
            Outcome(
                state=run.state,
                label=_("%(group)s: %(kind)s %(state)s, %(instant)s")
                % {
                    "group": run.group.name,
                    "kind": run.get_kind_display(),
                    "state": run.get_state_display(),
                    "instant": format_instant(run.created_at),
                },
                href=reverse("ingestion:run", args=[run.pk]),
            )
            for run in reversed(runs)
        ],
        title=_("The last %(count)s runs") % {"count": len(runs)},
        description=_("Oldest first: %(runs)s.") % {"runs": said} if said else _("No run yet."),
        height=34,
    )


def drawn_day(day: LastDay) -> DrawnRuns | None:
    """The last day, one lane per group, with a mark where its schedule had a run due; None where nothing ran and
    nothing was due."""
    if not day.groups:
        return None
    lanes = [
        Lane(
            label=one.group,
            spans=[
                Span(
                    label=run.get_kind_display(),
                    state=run.state,
                    start=run.started_at or run.created_at,
                    end=run.finished_at,
                    href=reverse("ingestion:run", args=[run.pk]),
                )
                for run in one.runs
            ],
            href=reverse("catalog:group", args=[one.group]),
            expected=one.due,
        )
        for one in day.groups
    ]
    due = sum(len(one.due) for one in day.groups)
    return DrawnRuns(
        drawing=gantt(
            lanes=lanes,
            start=day.since,
            end=day.until,
            now=day.until,
            title=_("Runs of the last 24 hours"),
            description=_(
                "%(runs)s runs of %(groups)s groups, and %(due)s times at which one was due; each bar leads "
                "to its run. Times are UTC."
            )
            % {"runs": day.runs, "groups": len(lanes), "due": due},
            width=1200,
        ),
        table=gantt_table(lanes=lanes, now=day.until),
        runs=day.runs,
        left_out=day.left_out,
        due=due,
        groups_left_out=day.groups_left_out,
    )


def rows_of(run: IngestionRun, *, width: float = 560) -> DrawnRuns | None:
    """What became of the rows that an ingestion read; None where none were read, and for a validation."""
    parts = [
        (_("appended to history"), run.rows_appended),
        (_("unchanged"), run.rows_unchanged),
        (_("superseded"), run.rows_superseded),
        (_("kept out"), run.rows_rejected),
    ]
    told = sum(count for _name, count in parts)
    if run.kind != RunKind.INGEST or not run.rows_read or not told:
        return None
    total = max(run.rows_read, told)
    rows = [(name, format_number(count), format_share(count / total)) for name, count in parts]
    drawn = top_values(
        values=[TopValue(name, count) for name, count in parts],
        total=total,
        title=_("What became of %(count)s rows") % {"count": format_number(run.rows_read)},
        description=", ".join(f"{count} {name}" for name, count, _share in rows),
        width=width,
    )
    return DrawnRuns(drawing=drawn, table=Table((_("Rows"), _("Count"), _("Share")), rows), runs=1, left_out=0)
