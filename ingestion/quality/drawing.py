"""The days of all groups as a heat grid, and the drift of a feature as a small line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from urllib.parse import urlencode

from django.urls import reverse

from catalog.drawings import Cell, Column, Markup, Row, Table, heat_grid, heat_table, sparkline
from catalog.presentation import format_number
from catalog.wording import Promise, gettext_lazy, month_name, ngettext, short_day
from catalog.wording import gettext as _
from ingestion.quality.days import Day, DayState
from ingestion.quality.overview import Drifted, GroupNow

_SAID: dict[DayState, Promise] = {
    DayState.GOOD: gettext_lazy("good"),
    DayState.WARN: gettext_lazy("mended the same day"),
    DayState.BAD: gettext_lazy("failing"),
    DayState.LATE: gettext_lazy("late"),
    DayState.RUNNING: gettext_lazy("not ended"),
}


def grid(
    groups: Sequence[GroupNow], days_by_group: Mapping[int, Sequence[Day | None]], *, days: Sequence[date]
) -> tuple[Markup, Table]:
    """One row per group, one cell per day, each a link to its run; and the table that says the same."""
    rows = [
        Row(
            label=one.group.name,
            cells=[_cell(one, day) for day in days_by_group[one.group.pk]],
            href=reverse("catalog:group", args=[one.group.name]),
        )
        for one in groups
    ]
    columns = [Column(label=str(day.day), over=month_name(day)) for day in days]
    first, last = days[0].isoformat(), days[-1].isoformat()
    drawn = heat_grid(
        rows=rows,
        columns=columns,
        title=_("Quality of the groups by day"),
        description=ngettext(
            "%(count)s groups from %(first)s to %(last)s; a cell leads to the run that tells of it.",
            "%(count)s groups from %(first)s to %(last)s; a cell leads to the run that tells of it.",
            len(rows),
        )
        % {"count": len(rows), "first": first, "last": last},
    )
    return drawn, heat_table(rows=rows, columns=columns)


def _cell(one: GroupNow, day: Day | None) -> Cell | None:
    if day is None:
        return None
    parts = [f"{one.group.name}, {short_day(day.day)}: {_SAID[day.state]}"]
    runs_said = ngettext("%(count)s run", "%(count)s runs", day.runs) % {"count": day.runs}
    parts += [runs_said if day.runs else _("nothing ran")]
    parts += [_("%(count)s failed") % {"count": day.failed}] if day.failed else []
    parts += [_("%(count)s fell short") % {"count": day.fell_short}] if day.fell_short else []
    runs = f"{reverse('ingestion:run-list')}?{urlencode({'group': one.group.name})}"
    href = reverse("ingestion:run", args=[day.run]) if day.run else runs
    return Cell(state=day.state.value, label=", ".join(parts), href=href)


def drift_line(drifted: Drifted) -> Markup:
    """How the drift of a feature went over its last checks, against its threshold."""
    name = drifted.version.feature.name
    return sparkline(
        values=drifted.history,
        threshold=drifted.threshold,
        title=_("Drift of %(name)s over its last %(count)s checks") % {"name": name, "count": len(drifted.history)},
        description=_("At most %(most)s, the threshold is %(threshold)s.")
        % {"most": format_number(drifted.measured), "threshold": format_number(drifted.threshold)},
        width=140,
        height=26,
    )
