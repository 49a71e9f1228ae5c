"""Which values a reader sees in the clear, and how the others are masked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Q

from catalog.access import Capability, Reader, may
from catalog.declarations import Mask, Sensitivity
from catalog.models import FeatureVersion, ValueGrant
from catalog.references import ResolvedFeature
from serving.masking import feature_key, mask_value

SENSITIVE = frozenset({Sensitivity.CONFIDENTIAL.value, Sensitivity.PERSONAL.value})


@dataclass(frozen=True)
class ColumnMask:
    """How the values of one version are hidden from a reader."""

    mask: str
    data_type: str
    key: bytes

    def of(self, value: Any) -> Any:
        """The masked form of one JSON value."""
        return mask_value(value, mask=self.mask, data_type=self.data_type, key=self.key)


def masks_for(*, user: Reader, resolved: Sequence[ResolvedFeature], at: datetime) -> list[ColumnMask | None]:
    """Per feature the mask that ``user`` sees it through; None where the values are clear.

    Public and internal values are clear to every reader; confidential and personal ones to who may read
    sensitive values, or has a grant on their feature group, as a person or by a role. One query at most.
    """
    hidden = [item.version for item in resolved if item.version.feature.effective_sensitivity in SENSITIVE]
    if not hidden or may(user, Capability.READ_SENSITIVE):
        return [None] * len(resolved)
    granted = _granted(user, {version.feature.group_id for version in hidden}, at)
    closed = {version.pk for version in hidden if version.feature.group_id not in granted}
    return [_mask_of(item.version) if item.version.pk in closed else None for item in resolved]


def _granted(user: Reader, groups: set[int], at: datetime) -> set[int]:
    if not user.is_authenticated:
        return set()
    theirs = Q(user_id=user.pk) | Q(role__user=user.pk)
    unexpired = Q(expires_at__isnull=True) | Q(expires_at__gt=at)
    return set(ValueGrant.objects.filter(theirs, unexpired, group__in=groups).values_list("group_id", flat=True))


def _mask_of(version: FeatureVersion) -> ColumnMask:
    feature = version.feature
    key = feature_key(settings.SECRET_KEY, entity=feature.entity.name, feature=feature.name)
    return ColumnMask(mask=version.mask or Mask.NULL.value, data_type=version.data_type, key=key)
