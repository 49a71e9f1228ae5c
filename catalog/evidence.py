"""What the apps above know of a feature's trust, so that the catalog tells it and imports none of them.

Like panels, they are registered in ``AppConfig.ready``. Each is asked for many versions at once, in a number of
queries that does not grow with them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from catalog.access import Reader
from catalog.contributions import load_contributions
from catalog.models import FeatureGroup, FeatureVersion
from catalog.trust import Checks


@dataclass(frozen=True)
class Caller:
    """Who read values within the last 30 days; ``name`` is empty for readers who may not know it."""

    name: str
    online_reads: int
    historical_reads: int
    last_day: date


ChecksOf = Callable[[Sequence[FeatureVersion], FeatureGroup | None], Mapping[int, Checks]]
CallersOf = Callable[[Sequence[FeatureVersion], Reader], Mapping[int, Sequence[Caller]]]

_checks: list[ChecksOf] = []
_callers: list[CallersOf] = []


def register_checks(provider: ChecksOf) -> None:
    """Let ``provider`` tell how versions, of one group where it is given, stand to their rules, by their ids."""
    if provider not in _checks:
        _checks.append(provider)


def register_callers(provider: CallersOf) -> None:
    """Let ``provider`` tell who read the features of versions, by the id of the feature."""
    if provider not in _callers:
        _callers.append(provider)


def checks_of(versions: Sequence[FeatureVersion], *, group: FeatureGroup | None = None) -> dict[int, Checks]:
    """The newest checks of each version that has any, by its id. ``group`` is that of all of them, on its own page,
    where what is read of its checks is kept for the panels."""
    load_contributions()
    return {pk: checks for provider in _checks for pk, checks in provider(versions, group).items()}


def callers_of(versions: Sequence[FeatureVersion], *, user: Reader) -> dict[int, list[Caller]]:
    """Who read the features of ``versions`` within the last 30 days, most reads first, by the id of the feature."""
    load_contributions()
    return {pk: list(callers) for provider in _callers for pk, callers in provider(versions, user).items()}
