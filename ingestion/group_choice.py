"""Which feature groups a person or program means."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from django.db.models import QuerySet

from catalog.errors import NotFound
from catalog.models import FeatureGroup
from catalog.wording import gettext as _


def choose_groups(names: Sequence[str] | None, *, among: QuerySet[FeatureGroup]) -> list[FeatureGroup]:
    """The groups named, each once and in their order; without names all of ``among``, by name.

    :raises NotFound: on a name that is not ``among`` them, with the nearest names.
    """
    known = {group.name: group for group in among.select_related("entity")}
    if names is None:
        # Sorted here, as databases disagree on the order of underscores.
        return [known[name] for name in sorted(known)]
    unknown = [name for name in dict.fromkeys(names) if name not in known]
    if unknown:
        near = difflib.get_close_matches(unknown[0], list(known), n=3, cutoff=0.5)
        hint = _("; did you mean %(names)s?") % {"names": ", ".join(near)} if near else ""
        raise NotFound(
            _("there is no feature group %(unknown)r%(hint)s") % {"unknown": unknown[0], "hint": hint},
            details={"groups": unknown, "nearest": near},
        )
    return [known[name] for name in dict.fromkeys(names)]
