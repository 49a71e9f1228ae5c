"""What the search index of every process has yet to take over, written by whatever writes what search knows."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar, TypeVar

from django.db import models, transaction

# Above so many at once it is told less exactly, and more cheaply.
MOST_TOLD = 200


def random_nonce() -> int:
    """A number that no other row has."""
    return secrets.randbits(62)


class SearchChange(models.Model):
    """A feature, all features of a group, or (both null) all features may be found by other words from now on.

    Written in the transaction of the change, so that whoever sees the one sees the other. ``nonce`` tells a row from
    another that takes its id after a rollback.
    """

    nonce = models.BigIntegerField(default=random_nonce)
    at = models.DateTimeField(auto_now_add=True, db_index=True)
    feature_id = models.BigIntegerField(null=True, blank=True)
    group_id = models.BigIntegerField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"feature {self.feature_id}" if self.feature_id else f"group {self.group_id}" if self.group_id else "all"


def tell_search(*, features: Iterable[int] = (), groups: Iterable[int] = (), everything: bool = False) -> None:
    """Let every process read the features (those of the groups, or all) anew before its next search."""
    told = [SearchChange(feature_id=pk) for pk in features] + [SearchChange(group_id=pk) for pk in groups]
    if everything or len(told) > MOST_TOLD:
        told = [SearchChange()]
    SearchChange.objects.bulk_create(told)


def forget_taken_over(*, before: datetime) -> int:
    """Remove what was told before that time: every process has taken it over, or makes its index anew."""
    return SearchChange.objects.filter(at__lt=before).delete()[0]


class Searched(models.Model):
    """What search knows of: every way of the ORM to write one tells search, in the same transaction."""

    # The field by which search is told; rows that are new and that nothing carries yet need not be told.
    search_key: ClassVar[str] = "pk"
    is_told_when_new: ClassVar[bool] = True

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        is_told = self.is_told_when_new or not self._state.adding
        with transaction.atomic(savepoint=False):
            super().save(*args, **kwargs)
            if is_told:
                self.tell_search_of([self.serializable_value(self.search_key)])

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        key = self.serializable_value(self.search_key)
        with transaction.atomic(savepoint=False):
            deleted = super().delete(*args, **kwargs)
            self.tell_search_of([key])
        return deleted

    @classmethod
    def tell_search_of(cls, keys: Iterable[int]) -> None:
        """Write what changed, by the values of ``search_key``."""
        tell_search(features=keys)


SearchedModel = TypeVar("SearchedModel", bound=Searched)


class SearchedQuerySet(models.QuerySet[SearchedModel]):
    """Rows of what search knows; ``bulk_update`` comes here through ``update``."""

    def update(self, **fields: Any) -> int:
        with transaction.atomic(savepoint=False):
            keys = self._keys()
            count = super().update(**fields)
            if count:
                self.model.tell_search_of(keys)
        return count

    def delete(self) -> tuple[int, dict[str, int]]:
        with transaction.atomic(savepoint=False):
            keys = self._keys()
            deleted = super().delete()
            self.model.tell_search_of(keys)
        return deleted

    def bulk_create(self, objs: Iterable[SearchedModel], *args: Any, **kwargs: Any) -> list[SearchedModel]:
        with transaction.atomic(savepoint=False):
            made = super().bulk_create(objs, *args, **kwargs)
            tell_search(everything=True)
        return made

    update.alters_data = delete.alters_data = True  # type: ignore[attr-defined]  # templates call neither
    delete.queryset_only = True  # type: ignore[attr-defined]  # a manager deletes nothing

    def _keys(self) -> set[int]:
        rows = self.order_by().values_list(self.model.search_key, flat=True)
        return set(rows if rows.query.is_sliced else rows[: MOST_TOLD + 1])
