"""Column kinds and choices that several models share."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models

from catalog.declarations import NAME, Mask, Sensitivity
from catalog.value_types import ValueType

name_validator = RegexValidator(
    NAME.pattern + r"\Z", "Use a-z, 0-9 and _, starting with a letter; at most 100 characters."
)


class Status(models.TextChoices):
    """Where a thing stands in its life; only archived values are no longer ingested or served."""

    ACTIVE = "active", "active"
    DEPRECATED = "deprecated", "deprecated"
    ARCHIVED = "archived", "archived"


SENSITIVITIES = [(level.value, level.value) for level in Sensitivity]
MASKS = [(mask.value, mask.value) for mask in Mask]
VALUE_TYPES = [(kind.value, kind.value) for kind in ValueType]


def declared_field() -> models.BooleanField[bool, bool]:
    """Whether the configuration keeps the object: what it declared and no longer does, ``apply`` deprecates."""
    return models.BooleanField(
        default=False, editable=False, help_text="Kept by the configuration; what is made by hand is left alone."
    )
