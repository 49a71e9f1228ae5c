from __future__ import annotations

from typing import ClassVar

from django.db import models


class Tag(models.Model):
    """A word that people find features by; kept in lower case."""

    name = models.CharField(max_length=60, unique=True)

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name
