"""Which earlier profile the newest one is compared with (pure: no Django but for the words)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from catalog.errors import NotFound
from catalog.wording import Promise
from catalog.wording import gettext_lazy as _


class Dated(Protocol):
    """What a profile must have to be chosen."""

    @property
    def pk(self) -> int: ...

    @property
    def computed_at(self) -> datetime: ...


NONE, PREVIOUS, FIRST = "none", "previous", "first"
_AGES = {"7d": timedelta(days=7), "30d": timedelta(days=30)}
WORDS: dict[str, Promise] = {
    PREVIOUS: _("the profile before"),
    "7d": _("a week ago"),
    "30d": _("a month ago"),
    FIRST: _("the first profile kept"),
    NONE: _("nothing"),
}
Profile = TypeVar("Profile", bound=Dated)


def choose_baseline(profiles: Sequence[Profile], against: str) -> Profile | None:
    """The one of ``profiles`` (newest first; the first is what is compared) that ``against`` names.

    It is ``previous`` (also where nothing is said), ``first``, ``7d``, ``30d``, ``none``, or the id of a profile.
    None where there is no such one, as before the second profile.

    :raises NotFound: when it is an id, or a word, that names none of them.
    """
    word = against or PREVIOUS
    earlier = list(profiles[1:])
    if word == NONE:
        return None
    if word in (PREVIOUS, FIRST):
        return (earlier[0] if word == PREVIOUS else earlier[-1]) if earlier else None
    if word in _AGES:
        wanted = profiles[0].computed_at - _AGES[word] if profiles else None
        old = [one for one in earlier if wanted is not None and one.computed_at <= wanted]
        return old[0] if old else None
    found = [one for one in earlier if word == str(one.pk)]
    if not found:
        raise NotFound(
            f"there is no earlier profile {against!r}; against is the id of one, or {', '.join(WORDS)}",
            details={"against": against, "known": list(WORDS)},
        )
    return found[0]
