"""What the online benchmark asks: how many features of how many entities, as each server wants it written."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.history_data import Shape, feature_name, group_name
from benchmarks.online_draws import drawn
from benchmarks.servers import Server

_CALL_SECONDS = 30
OWN_CALL, FEAST_CALL = "/api/v1/features/batch", "/get-online-features"


@dataclass(frozen=True)
class Question:
    """Features of some groups for some entities at once; ``features`` are group number and name."""

    name: str
    title: str
    entities: int
    features: tuple[tuple[int, str], ...]

    @property
    def values(self) -> int:
        return self.entities * len(self.features)


def questions() -> list[Question]:
    """The three of the published table."""
    one = tuple((0, feature_name(0, number)) for number in range(10))
    four = tuple((group, feature_name(group, number)) for group in range(4) for number in range(5))
    return [
        Question("1x10", "1 entity × 10 features of 1 group", 1, one),
        Question("1x20", "1 entity × 20 features of 4 groups", 1, four),
        Question("100x20", "100 entities × 20 features of 4 groups", 100, four),
    ]


def bodies(question: Question, shape: Shape, *, order: str, call: str) -> list[str]:
    """Request bodies of the entities that are drawn, the same for every server: our batch call's, or Feast's."""
    if call == FEAST_CALL:
        features = json.dumps([f"{group_name(group)}:{name}" for group, name in question.features])
        before, after = '{"entities": {"entity_id": [', f']}}, "features": {features}}}'
    else:
        features = json.dumps([name for _, name in question.features])
        one = question.entities == 1
        before = '{"entity_id": ' if one else '{"entity_ids": ['
        after = f'{"" if one else "]"}, "features": {features}}}'
    asked = drawn(shape, order, question.entities).tolist()
    return [f"{before}{', '.join(map(str, entities))}{after}" for entities in asked]


def check_answer(server: Server, path: str, body: str, headers: Mapping[str, str], question: Question) -> None:
    """A server that answers nothing is fast: most of the values asked for have to be there.

    :raises RuntimeError: when they are not.
    """
    request = urllib.request.Request(f"{server.address}{path}", body.encode(), dict(headers), method="POST")
    with urllib.request.urlopen(request, timeout=_CALL_SECONDS) as answer:
        found = _floats(json.load(answer))
    if found < question.values // 2:
        raise RuntimeError(f"{server.address}{path} answers {found} of {question.values} values")


def _floats(value: object) -> int:
    if isinstance(value, dict):
        return sum(map(_floats, value.values()))
    if isinstance(value, list):
        return sum(map(_floats, value))
    return isinstance(value, float)
