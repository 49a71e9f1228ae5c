"""The numbers of the home page, for the page and the API alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from django.db.models import F

from catalog.access import Reader
from catalog.models import FeatureVersion, Status
from catalog.search import FoundFeatures

DAYS, MOST_WITHOUT_VALUES = 30, 200


@dataclass(frozen=True)
class HomeNumbers:
    """``growth`` is how many features there were on each of the last 30 days, the oldest first, now being the last."""

    features: int
    groups: int
    entities: int
    newest_event: datetime | None
    growth: tuple[tuple[datetime, int], ...]


def numbers_of(every: FoundFeatures, *, at: datetime) -> HomeNumbers:
    """What there is of ``every`` feature that a person may know of. No query."""
    made = np.sort(every.numbers("created_at"))
    days = [at - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    events = every.numbers("newest_event")
    known = events[~np.isnan(events)]
    return HomeNumbers(
        features=len(every),
        groups=len(every.facet_counts("group")),
        entities=len(every.facet_counts("entity")),
        newest_event=datetime.fromtimestamp(float(known.max()), UTC) if known.size else None,
        growth=tuple((day, int(np.searchsorted(made, day.timestamp(), side="right"))) for day in days),
    )


def without_values(user: Reader) -> list[FeatureVersion]:
    """The default versions whose source gives no values now, with the reason. One query."""
    versions = FeatureVersion.objects.visible_to(user).exclude(source_problem="")
    versions = versions.exclude(feature__status=Status.ARCHIVED)
    return list(
        versions.filter(feature__default_version=F("pk"))
        .select_related("feature__group")
        .order_by("feature__name")[:MOST_WITHOUT_VALUES]
    )
