"""Looking things up by their name, with the nearest names where there is none."""

from __future__ import annotations

import difflib
from typing import TypeVar

from django.db.models import Model, QuerySet

from catalog.errors import NotFound

_MOST_NAMES = 5_000
Named = TypeVar("Named", bound=Model)


def named_or_nearest(visible: QuerySet[Named], name: str, *, what: str) -> Named:
    """The one of ``visible`` with this name.

    :raises NotFound: naming the nearest names.
    """
    found = None if "\0" in name else visible.filter(name=name).first()
    if found is not None:
        return found
    names = list(visible.order_by("name").values_list("name", flat=True)[:_MOST_NAMES])
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    hint = f"; did you mean {', '.join(near)}?" if near else ""
    raise NotFound(f"there is no {what} {name!r}{hint}", details={"name": name, "nearest": near})
