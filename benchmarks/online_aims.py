"""What online reads are meant to reach beside Feast and a constant answer, and whether they do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.load import Served
from benchmarks.online_results import Figures, Key
from benchmarks.online_servers import CONSTANT, FEAST, OWN, OWN_MORE, OWN_NOTHING_KEPT, TITLES
from benchmarks.report import table


@dataclass(frozen=True)
class _Aim:
    """``value`` of ours and of the other under the same load; ``enough`` is the least, or with ``most`` the most."""

    question: str
    other: str
    text: str
    enough: float
    value: Callable[[Served, Served], float]
    most: bool = False

    def shown(self, ours: Served | None, theirs: Served | None) -> str:
        if ours is None or theirs is None or not (ours.requests and theirs.requests):
            return ""
        value = self.value(ours, theirs)
        met = value <= self.enough if self.most else value >= self.enough
        return f"{value:.2f} ×{'' if met else ' (missed)'}"


def _requests(ours: Served, theirs: Served) -> float:
    return ours.per_second / theirs.per_second


def _p99(ours: Served, theirs: Served) -> float:
    return ours.p99 / theirs.p99


def _median(ours: Served, theirs: Served) -> float:
    return ours.median / theirs.median


_AIMS = (
    _Aim("1x20", FEAST, "1 × 20: at least 5 × Feast's requests/s", 5, _requests),
    _Aim("1x20", FEAST, "1 × 20: 99th percentile at most half of Feast's", 0.5, _p99, most=True),
    _Aim("1x10", FEAST, "1 × 10: at least 3 × Feast's requests/s", 3, _requests),
    _Aim("100x20", FEAST, "100 × 20: at least 40 × Feast's requests/s", 40, _requests),
    _Aim("1x10", CONSTANT, "1 × 10: at least 0.45 × the requests/s of the constant answer", 0.45, _requests),
)
# The same latency, as far as two runs of the same server have it.
_MORE_AIMS = tuple(
    _Aim(question, OWN, f"{question.replace('x', ' × ')}: median at most 1.1 × that without", 1.1, _median, most=True)
    for question in ("1x10", "1x20", "100x20")
)


def aims(figures: Figures, order: str) -> str:
    """A row per aim and contestant, a column per number of workers and connections; empty without any."""
    loads = sorted({(key.workers, key.connections) for key in figures.served if key.order == order})
    rows = []
    for name, wanted in ((OWN, _AIMS), (OWN_NOTHING_KEPT, _AIMS), (OWN_MORE, _MORE_AIMS)):
        for aim in wanted:
            cells = []
            for workers, connections in loads:
                key = Key(name, workers, order, aim.question, connections)
                cells.append(aim.shown(figures.served.get(key), figures.beside(key, aim.other)))
            if any(cells):
                rows.append([TITLES[name], aim.text, *cells])
    memory = [_memory_cell(figures, workers) for workers, _ in loads]
    if any(memory):
        rows.append([TITLES[OWN], "memory of an idle worker below Feast's", *memory])
    header = ["", "", *(f"{workers} w, {count} conn." for workers, count in loads)]
    return table(header, rows) if rows else ""


def _memory_cell(figures: Figures, workers: int) -> str:
    ours, theirs = (figures.memory.get((name, workers)) for name in (OWN, FEAST))
    if ours is None or theirs is None:
        return ""
    ratio = ours.worker_idle / theirs.worker_idle
    return f"{ratio:.2f} ×{'' if ratio < 1 else ' (missed)'}"
