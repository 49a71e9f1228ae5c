"""Who uses a feature: services, training datasets, and callers of the last 30 days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.access import Reader
from catalog.evidence import Caller, callers_of
from catalog.models import Feature, FeatureService, FeatureServiceMember, FeatureVersion, Status
from catalog.one_hop import Neighbour, neighbours_of


@dataclass(frozen=True)
class Consumers:
    """``callers`` have no names for readers who may not know them."""

    pins: Sequence[FeatureServiceMember]
    datasets: Sequence[Neighbour]
    callers: Sequence[Caller]

    @property
    def service_count(self) -> int:
        """Services that are still in use."""
        return len({pin.service_id for pin in self.pins if pin.service.status != Status.ARCHIVED})

    @property
    def reads(self) -> int:
        return sum(one.online_reads + one.historical_reads for one in self.callers)


def consumers_of(version: FeatureVersion, *, user: Reader) -> Consumers:
    """All that ``user`` may know of who uses the feature of ``version``, in three queries."""
    return Consumers(
        pins=pins_of(version.feature, user=user),
        datasets=neighbours_of(version.feature, user=user).datasets,
        callers=callers_of([version], user=user).get(version.feature_id, []),
    )


def pins_of(feature: Feature, *, user: Reader) -> list[FeatureServiceMember]:
    """The versions of ``feature`` that services pin which ``user`` may know of."""
    services = FeatureService.objects.visible_to(user)
    pins = FeatureServiceMember.objects.filter(feature=feature, service__in=services)
    return list(pins.select_related("service", "version").order_by("service__name", "major"))
