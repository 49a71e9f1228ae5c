"""What catalog pages say about stored values and their readers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Sum
from django.http import HttpRequest

from catalog.access import Capability, may
from catalog.clock import now
from catalog.models import FeatureGroup, FeatureVersion
from catalog.panels import Panel, Slot, register
from serving.models import FeatureUsage, MaterializedTable

_DAYS, _CALLERS = 30, 10


def register_panels() -> None:
    """Add the panels of this app to the pages of the catalog."""
    register(Slot.HOME_TILES, Panel("Values", "serving/panels/home_tiles.html", _home_tiles))
    register(Slot.FEATURE, Panel("Look up an entity", "serving/panels/entity_lookup.html", _entity_lookup))
    register(Slot.FEATURE, Panel("Usage", "serving/panels/feature_usage.html", _feature_usage))
    register(Slot.GROUP_ASIDE, Panel("Storage", "serving/panels/group_storage.html", _group_storage))


def _home_tiles(request: HttpRequest, subject: None) -> dict[str, Any]:  # noqa: ARG001
    stored = MaterializedTable.objects.filter(group__in=FeatureGroup.objects.visible_to(request.user))
    return stored.aggregate(online_rows=Sum("online_rows"), history_rows=Sum("history_rows"))


def _entity_lookup(request: HttpRequest, version: FeatureVersion) -> dict[str, Any] | None:
    if not may(request.user, Capability.READ_VALUES):
        return None
    return {"feature": version.feature, "version": version, "join_keys": version.feature.entity.join_keys}


def _feature_usage(request: HttpRequest, version: FeatureVersion) -> dict[str, Any]:
    since = (now() - timedelta(days=_DAYS)).date()
    usage = FeatureUsage.objects.filter(feature=version.feature_id, day__gte=since)
    total = usage.aggregate(online=Sum("online_reads"), historical=Sum("historical_reads"))
    callers: list[dict[str, Any]] = []
    if may(request.user, Capability.EDIT_CATALOG):
        by_caller = usage.values("caller").annotate(online=Sum("online_reads"), historical=Sum("historical_reads"))
        callers = [dict(row) for row in by_caller.order_by("-online", "-historical", "caller")[:_CALLERS]]
    return {**total, "days": _DAYS, "callers": callers}


def _group_storage(request: HttpRequest, group: FeatureGroup) -> dict[str, Any]:  # noqa: ARG001
    return {"group": group, "stored": MaterializedTable.objects.filter(group=group).first()}
