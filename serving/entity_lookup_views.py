"""The page of one entity: every feature that it has, online and at an instant."""

from __future__ import annotations

import time
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from catalog.access import Capability
from catalog.clock import now
from catalog.errors import InvalidInput, NotFound
from catalog.figures_over_time import run_href
from catalog.models import Entity
from catalog.views.access import page
from catalog.wording import Promise, gettext_lazy
from catalog.wording import gettext as _
from serving.entity_lookup import Agreement, FeatureLook, checked_purpose, features_to_look_up, look_up_entity
from serving.entity_positions import position_in
from serving.entity_rows import EntityShape, read_entity
from serving.instants import parse_instant
from serving.page_reads import record_versions_read

PAGE_SIZE = 50
_AGREEMENT: dict[Agreement, tuple[str, Promise]] = {
    Agreement.SAME: ("pass", gettext_lazy("the same")),
    Agreement.CHANGED: ("unknown", gettext_lazy("changed since")),
    Agreement.DIFFERS: ("fail", gettext_lazy("differs")),
    Agreement.NOT_COMPARED: ("unknown", gettext_lazy("not compared")),
}


@never_cache
@require_safe
@page(Capability.READ_VALUES)
def entity_lookup(request: HttpRequest, name: str = "") -> HttpResponse:
    """Without ``key`` a form; with one per join key and a purpose every feature of the entity at ``at``."""
    began = time.perf_counter()
    entities = list(Entity.objects.order_by("name"))
    entity = _entity(entities, name or request.GET.get("entity", ""))
    asked_at, purpose = request.GET.get("at", "").strip(), request.GET.get("purpose", "")
    keys = [key.strip() for key in request.GET.getlist("key")]
    context: dict[str, object] = {
        "entities": entities,
        "entity": entity,
        "fields": _fields(entity, keys),
        "at": asked_at,
        "purpose": purpose,
    }
    if entity is not None and any(keys):
        if len(keys) != len(entity.join_keys) or not all(keys):
            raise InvalidInput(_("name the entity by every join key: %s") % ", ".join(entity.join_keys))
        shape = EntityShape(entity.name, tuple(entity.join_keys))
        row = read_entity(dict(zip(shape.join_keys, keys, strict=True)), shapes=[shape], place="key")
        if purpose.strip():
            purpose = checked_purpose(purpose)
            present = now()
            at = parse_instant(asked_at, name="at", bound="end") if asked_at else present
            shown = Paginator(features_to_look_up(entity, user=request.user), PAGE_SIZE).get_page(
                request.GET.get("page")
            )
            looks = look_up_entity(
                list(shown.object_list), entity=row, at=min(at, present), now=present, user=request.user
            )
            record_versions_read([look.version for look in looks], entities=1, began=began, purpose=purpose)
            context |= {
                "page": shown,
                "instant": min(at, present),
                "is_past": at < present,
                "rows": [_shown(look, keys=keys, at=asked_at) for look in looks],
                "differing": sum(look.agreement is Agreement.DIFFERS for look in looks),
                "json_url": _json_url(entity, keys, asked_at, purpose),
            }
        else:
            context["purpose_missing"] = True
    return render(request, "serving/entity_lookup.html", context)


def _entity(entities: list[Entity], name: str) -> Entity | None:
    """The entity asked for; the only one where nothing is asked for."""
    if not name:
        return entities[0] if len(entities) == 1 else None
    found = next((one for one in entities if one.name == name), None)
    if found is None:
        raise NotFound(
            _("there is no entity %(name)r; there are %(value)s")
            % {"name": name, "value": ", ".join(one.name for one in entities) or _("none")}
        )
    return found


def _fields(entity: Entity | None, keys: list[str]) -> list[tuple[str, str]]:
    names = [] if entity is None else entity.join_keys
    return [(name, keys[place] if place < len(keys) else "") for place, name in enumerate(names)]


def _shown(look: FeatureLook, *, keys: list[str], at: str) -> dict[str, object]:
    feature = look.version.feature
    query = [("group", feature.group.name), ("version", look.version.number), *(("key", key) for key in keys)]
    kind, words = _AGREEMENT[look.agreement]
    position = None if look.masked else position_in(look.version.latest_profile, look.value, name=feature.name)
    max_age, age = feature.group.max_age, look.age
    return {
        "look": look,
        "feature": feature,
        "agreement": (kind, words),
        "position": position,
        "max_age": max_age,
        "is_old": max_age is not None and age is not None and age > max_age,
        "run": run_href(look.offline.run_id if look.offline else ""),
        "explain": f"{reverse('serving:entity-value', args=[feature.name])}?"
        + urlencode([*query, *([("at", at)] if at else [])]),
    }


def _json_url(entity: Entity, keys: list[str], at: str, purpose: str) -> str:
    query = [*zip(entity.join_keys, keys, strict=True), *([("at", at)] if at else []), ("purpose", purpose)]
    return f"{reverse('entity-lookup', args=[entity.name])}?{urlencode(query)}"
