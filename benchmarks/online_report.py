"""The tables of the online benchmark."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.load import Served
from benchmarks.online_aims import aims
from benchmarks.online_draws import ORDERS
from benchmarks.online_questions import Question, questions
from benchmarks.online_results import Figures, Key
from benchmarks.online_servers import CONSTANT, FEAST, OWN, TITLES
from benchmarks.report import shown_bytes, shown_seconds, table


def report(figures: Figures) -> str:
    """All tables, with what they were measured on."""
    parts = list(figures.notes.values())
    orders = [order for order in ORDERS if figures.contestants(order)]
    for order in orders:
        parts += [f"### Entities asked for: {ORDERS[order]}"]
        for question in questions():
            parts += [f"**{question.title}**", _loads(figures, order, question)]
        if ratios := _ratios(figures, order, FEAST, latency=True):
            parts += ["**Beside Feast**: requests per second, and the 99th percentile of latency", ratios]
        if ratios := _ratios(figures, order, CONSTANT, latency=False):
            parts += ["**Beside a constant answer**: requests per second", ratios]
    parts += ["### Both orders"]
    parts += [
        "**Asked again**: the share of the entities that the same server had been asked for before, in the load "
        "with the fewest and the most of them; kept answers cannot answer more than that",
        _again(figures, orders),
    ]
    if figures.lookups:
        parts += ["**The floor**: the same rows read by SQLite in process, on one core", _lookups(figures)]
    if figures.memory:
        parts += ["**Memory** of one worker, and of all processes of a server together", _memory(figures)]
    for order in orders:
        if met := aims(figures, order):
            parts += [f"**Aims**, by number of workers and connections; {ORDERS[order]}", met]
    return "\n\n".join(parts)


def _loads(figures: Figures, order: str, question: Question) -> str:
    counts = figures.connections()
    header = ["", *(f"{count} connection{'s' * (count > 1)}: median, 99th percentile, requests/s" for count in counts)]
    rows = []
    for name, workers in _ordered(figures, order):
        found = [figures.served.get(Key(name, workers, order, question.name, count)) for count in counts]
        if any(found):
            rows.append([_title(name, workers), *map(_cell, found)])
    return table(header, rows)


def _cell(found: Served | None) -> str:
    if found is None:
        return "not run"
    if not found.requests:
        return "**none answered**"
    failed = f", **{found.failed} failed**" if found.failed else ""
    return f"{shown_seconds(found.median)}, {shown_seconds(found.p99)}, {found.per_second:,.0f}{failed}"


def _ordered(figures: Figures, order: str | None = None) -> list[tuple[str, int]]:
    known = list(TITLES)
    return sorted(figures.contestants(order), key=lambda found: (found[1], known.index(found[0])))


def _title(name: str, workers: int) -> str:
    return f"{TITLES[name]}, {workers} worker{'s' * (workers > 1)}"


def _ratios(figures: Figures, order: str, other: str, *, latency: bool) -> str:
    """Ours beside the other with as many workers, for the questions that the other was asked; empty without any."""
    counts = figures.connections()
    asked = [question for question in questions() if any(
        key.contestant == other and key.question == question.name for key in figures.served)]  # fmt: skip
    rows = []
    for name, workers in _ordered(figures, order):
        if not name.startswith(OWN):
            continue
        cells = []
        for question in asked:
            for count in counts:
                key = Key(name, workers, order, question.name, count)
                cells.append(_ratio(figures.served.get(key), figures.beside(key, other), latency=latency))
        if any(cells):
            rows.append([_title(name, workers), *cells])
    header = ["", *(f"{question.name.replace('x', ' × ')}, {count} conn." for question in asked for count in counts)]
    return table(header, rows) if rows else ""


def _ratio(ours: Served | None, theirs: Served | None, *, latency: bool) -> str:
    if ours is None or theirs is None or not (ours.requests and theirs.requests):
        return ""
    requests = f"{ours.per_second / theirs.per_second:.2f} ×"
    return f"{requests}, {ours.p99 / theirs.p99:.2f} ×" if latency else requests


def _again(figures: Figures, orders: Sequence[str]) -> str:
    asked = [(order, question) for order in orders for question in questions()]
    rows = []
    for name, workers in _ordered(figures):
        cells = []
        for order, question in asked:
            keys = [Key(name, workers, order, question.name, count) for count in figures.connections()]
            shares = [figures.served[key].again for key in keys if key in figures.served]
            cells.append(" to ".join(dict.fromkeys(f"{pick(shares):.0%}" for pick in (min, max))) if shares else "")
        if name != CONSTANT:
            rows.append([_title(name, workers), *cells])
    return table(["", *(f"{order}, {question.name.replace('x', ' × ')}" for order, question in asked)], rows)


def _lookups(figures: Figures) -> str:
    rows = [
        [
            question.title,
            f"{found.query * 1e6:,.0f} µs",
            f"{found.answer * 1e6:,.0f} µs",
            f"{1 / found.answer:,.0f}",
        ]
        for question in questions()
        if (found := figures.lookups.get(question.name)) is not None
    ]
    return table(["", "query", "with JSON decoded and encoded", "a second"], rows)


def _memory(figures: Figures) -> str:
    rows = []
    for name, workers in _ordered(figures):
        found = figures.memory.get((name, workers))
        if found is not None:
            counts = (found.worker_idle, found.worker_after, found.anonymous_after, found.all_idle, found.all_after)
            rows.append([_title(name, workers), *map(shown_bytes, counts)])
    return table(
        ["", "worker, idle", "worker, after the load", "of it, no pages of files", "all, idle", "all, after the load"],
        rows,
    )


def summary(served: Sequence[Served]) -> str:
    """One line of one contestant and question, to be followed while the benchmark runs."""
    return "; ".join(
        f"{found.per_second:,.0f}/s (median {shown_seconds(found.median)}, p99 {shown_seconds(found.p99)}, "
        f"{found.failed} failed, {found.again:.0%} asked again, generator {found.share:.0%})"
        for found in served
    )
