"""The figures of the online benchmark, kept in a file so that several runs make one table."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NamedTuple

from benchmarks.load import Served
from benchmarks.online_draws import EVEN
from benchmarks.online_servers import CONSTANT


class Key(NamedTuple):
    """Who was asked what, how: ``order`` is that of the entities."""

    contestant: str
    workers: int
    order: str
    question: str
    connections: int


@dataclass(frozen=True)
class Memory:
    """Bytes of physical memory: of the largest worker, and of all processes of the server together.

    A page that several processes share counts in each worker that uses it, and once in all of them together; one of a
    file that a worker maps several times, as SQLite does for each connection, counts as often. ``anonymous`` are no
    pages of files.
    """

    worker_idle: int
    worker_after: int
    anonymous_after: int
    all_idle: int
    all_after: int


@dataclass(frozen=True)
class Lookup:
    """Seconds of one keyed read in process, median: the query alone, and with its JSON decoded and encoded."""

    query: float
    answer: float


@dataclass
class Figures:
    """What was measured: loads by :class:`Key`, memory by contestant and workers, bare lookups by question."""

    served: dict[Key, Served] = field(default_factory=dict)
    memory: dict[tuple[str, int], Memory] = field(default_factory=dict)
    lookups: dict[str, Lookup] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    def contestants(self, order: str | None = None) -> list[tuple[str, int]]:
        """Everybody with any figure in this order of entities, each once, in the order measured."""
        return list(dict.fromkeys((key.contestant, key.workers) for key in self.served if order in (None, key.order)))

    def beside(self, key: Key, other: str) -> Served | None:
        """What another contestant did under the same load; a constant answer is the same in any order."""
        order = EVEN if other == CONSTANT else key.order
        return self.served.get(key._replace(contestant=other, order=order))

    def failed(self) -> dict[str, int]:
        """How many requests failed, by contestant, of those of whom any did."""
        counts: Counter[str] = Counter()
        for key, found in self.served.items():
            counts[key.contestant] += found.failed
        return {name: count for name, count in counts.items() if count}

    def connections(self) -> list[int]:
        return sorted({key.connections for key in self.served})

    def save(self, file: Path) -> None:
        file.write_text(
            json.dumps(
                {
                    "served": [[*key, asdict(value)] for key, value in self.served.items()],
                    "memory": [[*key, asdict(value)] for key, value in self.memory.items()],
                    "lookups": [[key, asdict(value)] for key, value in self.lookups.items()],
                    "notes": self.notes,
                },
                indent=1,
            )
        )


def load_figures(files: Iterable[Path]) -> Figures:
    """The figures of earlier runs; of the same figure the later file's counts."""
    figures = Figures()
    for file in files:
        if not file.is_file():
            continue
        kept = json.loads(file.read_text())
        figures.served |= {Key(*key): Served(**found) for *key, found in kept["served"]}
        figures.memory |= {(name, workers): Memory(**found) for name, workers, found in kept["memory"]}
        figures.lookups |= {asked: Lookup(**found) for asked, found in kept["lookups"]}
        figures.notes |= kept["notes"]
    return figures
