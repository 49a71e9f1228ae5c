"""What catalog pages say about stored values and their readers."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy

from catalog.access import Capability, may
from catalog.cards import register_card_facts
from catalog.clock import now
from catalog.drawings import sparkline
from catalog.evidence import register_callers
from catalog.home_lists import register_used_by
from catalog.models import FeatureGroup, FeatureVersion
from catalog.panels import Panel, Slot, register
from catalog.search.popularity import register_reads
from serving.card_facts import card_facts, reads_by_day, reads_of_features, stored_rows, used_by
from serving.models import ApiToken, MaterializedTable
from serving.recent_callers import callers_of

_TOKENS = 10


def register_panels() -> None:
    """Add the panels of this app to the pages of the catalog, and what it knows of reads and callers."""
    register_callers(callers_of)
    register_reads(reads_of_features)
    register_used_by(used_by)
    register_card_facts(card_facts)
    register(
        Slot.OWN, Panel(gettext_lazy("API tokens"), "serving/panels/own_tokens.html", _own_tokens, _own_tokens_twin)
    )
    register(Slot.HOME_TILES, Panel(gettext_lazy("Values"), "serving/panels/home_tiles.html", _home_tiles))
    register(
        Slot.FEATURE, Panel(gettext_lazy("Look up an entity"), "serving/panels/entity_lookup.html", _entity_lookup)
    )
    register(
        Slot.GROUP_ASIDE,
        Panel(gettext_lazy("Storage"), "serving/panels/group_storage.html", _group_storage, _storage_twin),
    )


def _home_tiles(request: HttpRequest, subject: None) -> dict[str, Any]:  # noqa: ARG001
    days = reads_by_day(request.user)
    total = sum(reads for _, reads in days)
    drawn = sparkline(
        values=[float(reads) for _, reads in days],
        title=gettext("Reads of each of the last 30 days"),
        description=gettext("From %(first)s to %(last)s a day.") % {"first": days[0][1], "last": days[-1][1]},
        width=120,
        height=28,
    )
    return {**asdict(stored_rows(request.user)), "reads": total, "reads_drawn": drawn if total else None}


def _own_tokens(request: HttpRequest, subject: None) -> dict[str, Any] | None:  # noqa: ARG001
    if request.user.pk is None:
        return None
    valid = ApiToken.objects.filter(user_id=request.user.pk, revoked_at__isnull=True)
    valid = valid.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=now()))
    return {"tokens": list(valid.order_by("-created_at", "-pk")[:_TOKENS])}


def _entity_lookup(request: HttpRequest, version: FeatureVersion) -> dict[str, Any] | None:
    if not may(request.user, Capability.READ_VALUES):
        return None
    return {"feature": version.feature, "version": version, "join_keys": version.feature.entity.join_keys}


def _group_storage(request: HttpRequest, group: FeatureGroup) -> dict[str, Any]:  # noqa: ARG001
    return {"group": group, "stored": MaterializedTable.objects.filter(group=group).first()}


def _own_tokens_twin(subject: None) -> str:  # noqa: ARG001
    return reverse("own-token-list")


def _storage_twin(group: FeatureGroup) -> str:
    return reverse("group-storage", kwargs={"name": group.name})
