"""What a feature service pins, with the verdict on each, for its page and the API alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.access import Reader
from catalog.models import FeatureService, FeatureServiceMember, FeatureVersion
from catalog.trust import State, Verdict
from catalog.trusting import trust_lines

_WORST_FIRST = (State.BAD, State.WARN, State.UNKNOWN, State.GOOD)


@dataclass(frozen=True)
class Pinned:
    """``members`` that a person may know of, in order, with their verdicts; ``hidden`` is how many there are beside.

    ``join_keys`` are those of all, as a request needs them all.
    """

    members: tuple[tuple[FeatureServiceMember, Verdict], ...]
    hidden: int
    join_keys: tuple[str, ...]

    @property
    def weakest(self) -> tuple[FeatureServiceMember, Verdict] | None:
        """The one with the worst verdict, the first of equal ones; a service is as good as this one."""
        return min(self.members, key=lambda one: _WORST_FIRST.index(one[1].state), default=None)


def pinned_by(service: FeatureService, *, user: Reader) -> Pinned:
    """In a number of queries that does not grow with the members."""
    every: Sequence[FeatureServiceMember] = list(
        FeatureServiceMember.objects.filter(service=service).select_related(
            "version__feature__group", "version__feature__entity", "version__latest_profile"
        )
    )
    seen = FeatureVersion.objects.visible_to(user).filter(pk__in=[member.version_id for member in every])
    known = set(seen.values_list("pk", flat=True))
    shown = [member for member in every if member.version_id in known]
    lines = trust_lines([member.version for member in shown], user=user, with_use=False)
    return Pinned(
        members=tuple((member, lines[member.version_id]) for member in shown),
        hidden=len(every) - len(shown),
        join_keys=tuple(dict.fromkeys(key for member in every for key in member.version.feature.entity.join_keys)),
    )
