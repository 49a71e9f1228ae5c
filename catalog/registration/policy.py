"""How definitions evolve, and what groups get that say nothing themselves (pure: no Django)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True)
class Policy:
    """
    ``default_max_age``: the max age of groups that set none; None for no limit.
    ``timezones``: the zone of each group's timestamps that carry none (None: they are refused), for groups whose
    zone is not the one they declare.
    ``auto_versioning``: a changed definition gets the next version by itself; otherwise it must declare one.
    ``retain_versions``: how many versions of a feature stay active; older minors that are not current and that no
    service pins are archived.
    ``deprecate_removed``: what is no longer declared is deprecated; otherwise it is left as it is.
    ``keeps``: what is declared is kept by the declaration from now on; otherwise it stands as made by hand, and a
    later declaration leaves it alone.
    """

    default_max_age: timedelta | None = None
    timezones: Mapping[str, str | None] = field(default_factory=dict)
    auto_versioning: bool = True
    retain_versions: int = 10
    deprecate_removed: bool = True
    keeps: bool = True
