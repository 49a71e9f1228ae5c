"""How the values that a reader may not see are masked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from catalog.access import Reader
from catalog.declarations import Mask
from catalog.disclosure import closed_features
from catalog.models import FeatureVersion
from catalog.references import ResolvedFeature
from serving.masking import feature_key, mask_value


@dataclass(frozen=True)
class ColumnMask:
    """How the values of one version are hidden from a reader."""

    mask: str
    data_type: str
    key: bytes

    def of(self, value: Any) -> Any:
        """The masked form of one JSON value."""
        return mask_value(value, mask=self.mask, data_type=self.data_type, key=self.key)


def masks_for(*, user: Reader, resolved: Sequence[ResolvedFeature]) -> list[ColumnMask | None]:
    """Per feature the mask that ``user`` sees it through; None where the values are clear. One query at most.

    It is the mask of the version; without one, closed values are not shown at all.
    """
    closed = closed_features(user=user, features=[item.version.feature for item in resolved])
    return [_mask_of(item.version) if item.version.feature_id in closed else None for item in resolved]


def _mask_of(version: FeatureVersion) -> ColumnMask:
    feature = version.feature
    key = feature_key(settings.SECRET_KEY, entity=feature.entity.name, feature=feature.name)
    return ColumnMask(mask=version.mask or Mask.NULL.value, data_type=version.data_type, key=key)
