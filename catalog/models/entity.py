from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from django.db import models

from catalog.models.fields import StampedField, name_validator
from catalog.models.search_change import Searched, SearchedQuerySet, tell_search


class Entity(Searched):
    """What features describe, such as a customer; found by one or more join keys."""

    name = models.CharField(max_length=100, unique=True, validators=[name_validator])
    description = models.TextField(blank=True)
    join_keys = models.JSONField(help_text="Names of the join keys, in the order in which they form the entity key.")
    created_at = StampedField(auto_now_add=True)
    updated_at = StampedField(auto_now=True)

    objects: SearchedQuerySet[Entity] = SearchedQuerySet.as_manager()  # type: ignore[assignment]

    is_told_when_new = False

    class Meta:
        ordering: ClassVar = ["name"]
        verbose_name_plural = "entities"

    def __str__(self) -> str:
        return self.name

    @classmethod
    def tell_search_of(cls, keys: Iterable[int]) -> None:  # noqa: ARG003
        """Any feature may carry its name."""
        tell_search(everything=True)
