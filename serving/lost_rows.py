"""Online rows that were carried over and are there no more.

A store outside of the database may be emptied, start again from an older copy of itself or without what it was told
last, and another store may be configured than the one that was filled. Its revisions show each of these: those of the
rows that were carried over are kept in the database.
"""

from __future__ import annotations

from django.conf import settings

from catalog.models import FeatureGroup
from serving.models import MaterializedTable
from serving.stores.online import OnlineStore, online_store

# Another one than any that a group has had, and than none in the database.
_NO_REVISION = 0


def has_lost_rows(done: MaterializedTable) -> bool:
    """Whether the online store may lack rows of the group that were carried over.

    While a run writes the group in a store outside of the database it seems so too: ask under the group's lease, or
    take it for a reason to look again under it.
    """
    if done.online_rows == 0 or not settings.FEATURESTORE.serving.online_store_enabled:
        return False
    store = online_store()
    return done.online_revision != revision_to_keep(store, done.group_id) or bool(store.without_rows([done.group_id]))


def revision_to_keep(store: OnlineStore, group_id: int) -> int | None:
    """What tells later whether the store still has the rows: none in the database, where they are as safe as this."""
    if store.in_database:
        return None
    revisions = store.revisions([group_id])
    return _NO_REVISION if revisions is None else revisions[0][1]


def groups_that_lost_rows() -> list[FeatureGroup]:
    """The groups of :func:`has_lost_rows`."""
    done = MaterializedTable.objects.filter(online_rows__gt=0).select_related("group__entity")
    return [each.group for each in done if has_lost_rows(each)]


def emptied_groups() -> int:
    """How many groups had rows and have none, so that reads of them are refused."""
    done = MaterializedTable.objects.filter(online_rows__gt=0).values_list("group_id", flat=True)
    return len(online_store().without_rows(list(done)))
