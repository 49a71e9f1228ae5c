from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from django.db import models

from catalog.models.search_change import Searched, SearchedQuerySet, tell_search


class Tag(Searched):
    """A word that people find features by; kept in lower case."""

    name = models.CharField(max_length=60, unique=True)

    objects: SearchedQuerySet[Tag] = SearchedQuerySet.as_manager()  # type: ignore[assignment]

    is_told_when_new = False

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def tell_search_of(cls, keys: Iterable[int]) -> None:  # noqa: ARG003
        """Any feature may carry its name."""
        tell_search(everything=True)
