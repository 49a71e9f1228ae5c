from __future__ import annotations

from typing import ClassVar

from django.db import models

from catalog.models.fields import name_validator


class Entity(models.Model):
    """What features describe, such as a customer; found by one or more join keys."""

    name = models.CharField(max_length=100, unique=True, validators=[name_validator])
    description = models.TextField(blank=True)
    join_keys = models.JSONField(help_text="Names of the join keys, in the order in which they form the entity key.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["name"]
        verbose_name_plural = "entities"

    def __str__(self) -> str:
        return self.name
