"""Many nodes of one kind and origin as one node that says how many it holds (pure: no Django)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

MOST_SHOWN = 60
COMFORTABLE = 32
STEP = 20
_FEWEST = 4


@dataclass(frozen=True, slots=True)
class Member:
    """A node as collapsing sees it: ``cluster`` names its kind and origin, ``weight`` how much it matters."""

    id: str
    cluster: str
    weight: float = 0.0
    is_focus: bool = False


@dataclass(frozen=True)
class Collapsed:
    """``shown`` are the ids that stay; ``stacks`` are the ids that each collapsed node holds, by its name.

    ``opened`` are the clusters that are shown whole or in part because the reader asked for it.
    """

    shown: list[str]
    stacks: dict[str, list[str]]
    opened: frozenset[str] = field(default_factory=frozenset)


def collapse(members: Sequence[Member], *, expand: Sequence[str] = ()) -> Collapsed:
    """So few nodes that they can be read: the largest clusters are collapsed first, until COMFORTABLE are left.

    A cluster named in ``expand`` shows its STEP weightiest members, and STEP more for each time it is named again;
    the rest stays a collapsed node. The focus is never collapsed. At most MOST_SHOWN remain, whatever is expanded.
    """
    clusters: dict[str, list[Member]] = defaultdict(list)
    for member in members:
        if not member.is_focus:
            clusters[member.cluster].append(member)
    asked = Counter(expand)
    stacks: dict[str, list[str]] = {}
    count = len(members)
    for name, times in asked.items():
        held = sorted(clusters.get(name, ()), key=lambda one: -one.weight)[STEP * times :]
        if len(held) > 1:
            stacks[name] = [member.id for member in held]
            count -= len(held) - 1
    by_size = sorted(clusters.items(), key=lambda item: (-len(item[1]), item[0]))
    for name, found in by_size:
        if count <= COMFORTABLE or len(found) < _FEWEST:
            break
        if name not in asked:
            stacks[name] = [member.id for member in found]
            count -= len(found) - 1
    count = _until_it_fits(clusters, stacks, count=count)
    hidden = {one for held in stacks.values() for one in held}
    return Collapsed(
        shown=[member.id for member in members if member.id not in hidden],
        stacks=stacks,
        opened=frozenset(name for name in asked if name in clusters),
    )


def _until_it_fits(clusters: Mapping[str, Sequence[Member]], stacks: dict[str, list[str]], *, count: int) -> int:
    """More goes into stacks, of the fullest clusters first, until no more than MOST_SHOWN are left."""
    while count > MOST_SHOWN:
        free = {
            name: [member for member in found if member.id not in set(stacks.get(name, ()))]
            for name, found in clusters.items()
        }
        name, most = max(free.items(), key=lambda item: (len(item[1]), item[0]), default=("", []))
        if not most or (len(most) == 1 and name not in stacks):
            break
        before = (1 if name in stacks else 0) + len(most)
        excess = count - MOST_SHOWN + (0 if name in stacks else 1)
        lightest = sorted(most, key=lambda one: one.weight)[: max(excess, 2)]
        stacks[name] = [*stacks.get(name, ()), *(member.id for member in lightest)]
        count -= before - (1 + len(most) - len(lightest))
    return count
