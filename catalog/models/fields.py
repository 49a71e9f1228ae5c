"""Column kinds and choices that several models share."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from catalog.clock import now
from catalog.declarations import NAME, Mask, Sensitivity, Tier
from catalog.terms import MASK_WORDS, SENSITIVITY_WORDS, TIER_WORDS
from catalog.value_types import ValueType

name_validator = RegexValidator(
    NAME.pattern + r"\Z", _("Use a-z, 0-9 and _, starting with a letter; at most 100 characters.")
)


class Status(models.TextChoices):
    """Where a thing stands in its life; only archived values are no longer ingested or served."""

    ACTIVE = "active", _("active")
    DEPRECATED = "deprecated", _("deprecated")
    ARCHIVED = "archived", _("archived")


SENSITIVITIES = [(level.value, SENSITIVITY_WORDS[level]) for level in Sensitivity]
TIERS = [(tier.value, TIER_WORDS[tier]) for tier in Tier]
MASKS = [(mask.value, MASK_WORDS[mask]) for mask in Mask]
VALUE_TYPES = [(kind.value, kind.value) for kind in ValueType]


def declared_field() -> models.BooleanField[bool, bool]:
    """Whether the configuration keeps the object: what it declared and no longer does, ``apply`` deprecates."""
    return models.BooleanField(
        default=False, editable=False, help_text=_("Kept by the configuration; what is made by hand is left alone.")
    )


_INTEGERS = range(-(2**63), 2**63)


if TYPE_CHECKING:
    _DateTimeField = models.DateTimeField[Any, datetime]
else:
    _DateTimeField = models.DateTimeField


class StampedField(_DateTimeField):
    """A time that is set when its row is made (``auto_now_add``) or written (``auto_now``), by the store's clock."""

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        if self.auto_now or (self.auto_now_add and add):
            value = now()
            setattr(model_instance, self.attname, value)
            return value
        return super().pre_save(model_instance, add)

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        """As Django's own field: only who sets it differs, and of that the database knows nothing."""
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.DateTimeField", list(args), kwargs


class FeatureValueField(models.JSONField):
    """One value of a feature as JSON has it.

    PostgreSQL writes large floats as integers (1e300 with all its digits). No integer feature has values beyond 64
    bits, so those were floats.
    """

    def from_db_value(self, value: Any, *given: Any) -> Any:
        found = super().from_db_value(value, *given)
        return float(found) if isinstance(found, int) and found not in _INTEGERS else found

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        """As Django's own field: what is stored is the same."""
        name, _path, arguments, options = super().deconstruct()
        return name, "django.db.models.JSONField", list(arguments), options
