"""Rows of an online store in memory expire when they are too old to answer.

A row answers as long as its event is not older than the group's max age. It is kept for as long again, so that its
status can be told and max age be made longer; then it goes, if the store is one that makes room. When max age is made
longer than what was kept, the group's rows are made anew from the history.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from catalog.models import FeatureGroup
from serving.lost_rows import revision_to_keep
from serving.models import MaterializedTable
from serving.models.fields import to_microseconds
from serving.stores.online import online_store

_MICROSECOND = timedelta(microseconds=1)
_KEPT_MAX_AGES = 2


def expire_group(group: FeatureGroup, *, at: datetime) -> int:
    """Delete online rows of the group that are too old to answer at ``at``; how many they were."""
    if group.max_age is None or not settings.FEATURESTORE.serving.online_store_enabled:
        return 0
    bound = to_microseconds(at) - _KEPT_MAX_AGES * (group.max_age // _MICROSECOND)
    store = online_store()
    before = revision_to_keep(store, group.pk)
    expired = store.expire_before(group.pk, bound)
    if expired:
        # What goes on purpose is not lost. Where rows were lost before, the revision kept is another and stays so.
        kept = MaterializedTable.objects.filter(group=group, online_revision=before)
        kept.update(online_revision=revision_to_keep(store, group.pk))
    return expired


def lacks_expired_rows(group: FeatureGroup, *, at: datetime) -> bool:
    """Whether rows have expired that would answer now, because max age was made longer."""
    if not settings.FEATURESTORE.serving.online_store_enabled:
        return False
    bound = online_store().expired_before(group.pk)
    if bound is None:
        return False
    return group.max_age is None or to_microseconds(at) - group.max_age // _MICROSECOND < bound


def groups_that_lack_expired_rows(*, at: datetime) -> list[FeatureGroup]:
    """The groups whose rows have to be made anew for :func:`lacks_expired_rows`."""
    done = MaterializedTable.objects.select_related("group__entity")
    return [materialized.group for materialized in done if lacks_expired_rows(materialized.group, at=at)]
