"""Feature groups as a list tells of them, for the page and the API alike."""

from __future__ import annotations

from django.db.models import Count, Max, Q

from catalog.access import Reader
from catalog.models import FeatureGroup, Status
from catalog.models.group import FeatureGroupQuerySet


def groups_listed(user: Reader) -> FeatureGroupQuerySet:
    """The groups that ``user`` may know of, by name, each with

    - ``feature_count``: its features that are not archived,
    - ``unserved_count``: its active features whose source gives no values,
    - ``newest_event``: of its newest value.
    """
    current = ~Q(features__status=Status.ARCHIVED)
    unserved = Q(features__status=Status.ACTIVE) & ~Q(features__default_version__source_problem="")
    return (
        FeatureGroup.objects.visible_to(user)
        .select_related("entity")
        .prefetch_related("tags")
        .annotate(
            feature_count=Count("features", filter=current, distinct=True),
            unserved_count=Count("features", filter=unserved, distinct=True),
            newest_event=Max("features__default_version__latest_profile__newest_event"),
        )
        .order_by("name")
    )
