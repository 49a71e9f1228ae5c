"""The value of one entity on a page: what it is, and why."""

from __future__ import annotations

import time
from datetime import datetime
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from catalog.access import Capability
from catalog.clock import now
from catalog.errors import InvalidInput
from catalog.views.access import page
from catalog.wording import Promise, gettext_lazy
from catalog.wording import gettext as _
from serving.entity_rows import read_entity
from serving.explaining import ExplainedValue, explain_value
from serving.explanation import Candidate, Rule
from serving.instants import parse_instant
from serving.models.fields import from_microseconds
from serving.online_reads import ValueStatus
from serving.page_reads import record_page_read
from serving.resolving import entity_shapes, resolve_for_reading

MOST_ROWS = 100

# What each rule says of the row that it beat.
RULES: dict[Rule, Promise] = {
    Rule.FUTURE: gettext_lazy("its event lies after the time asked for"),
    Rule.NOT_KNOWN_YET: gettext_lazy("the store had not learned it by the known-at"),
    Rule.TOO_OLD: gettext_lazy("its event is older than the max age"),
    Rule.OLDER_EVENT: gettext_lazy("the row that answers has a newer event"),
    Rule.OLDER_CREATED: gettext_lazy("of the same event, the row that answers was created later"),
    Rule.DUPLICATE: gettext_lazy("the same event, created timestamp and value as the row that answers"),
    Rule.EARLIER_ARRIVAL: gettext_lazy("of the same event and created timestamp, it arrived earlier"),
}

STATUSES: dict[ValueStatus, Promise] = {
    ValueStatus.PRESENT: gettext_lazy("The newest row that was true and known then answers."),
    ValueStatus.NULL_VALUE: gettext_lazy(
        "The newest row that was true and known then holds no value, and that is the answer."
    ),
    ValueStatus.NOT_FOUND: gettext_lazy("No row of this entity was true and known then."),
    ValueStatus.OUTSIDE_MAX_AGE: gettext_lazy(
        "The newest row is older than the max age of the group, so it is not used."
    ),
    ValueStatus.MASKED: gettext_lazy("The value is shown as your rights allow."),
}


@never_cache
@require_safe
@page(Capability.READ_VALUES)
def entity_value(request: HttpRequest, name: str) -> HttpResponse:
    """Without ``key`` a form; with one per join key the value at ``at`` and the rows that it beat."""
    began = time.perf_counter()
    version, group = request.GET.get("version", ""), request.GET.get("group", "")
    reference = (f"{group}:" if group else "") + name + (f"@{version}" if version else "")
    resolved = resolve_for_reading(user=request.user, features=[reference])
    [shape] = entity_shapes(resolved)
    keys = [key.strip() for key in request.GET.getlist("key")]
    context: dict[str, object] = {
        "version": resolved[0].version,
        "feature": resolved[0].version.feature,
        "fields": [
            (join_key, keys[position] if position < len(keys) else "")
            for position, join_key in enumerate(shape.join_keys)
        ],
        "at": request.GET.get("at", ""),
        "as_known_at": request.GET.get("as_known_at", ""),
        "asked_version": version,
        "asked_group": group,
    }
    if any(keys):
        if len(keys) != len(shape.join_keys) or not all(keys):
            raise InvalidInput(_("name the entity by every join key: %s") % ", ".join(shape.join_keys))
        told = explain_value(
            user=request.user,
            feature=resolved[0],
            entity=read_entity(dict(zip(shape.join_keys, keys, strict=True)), shapes=[shape], place="key"),
            at=_instant(request, "at") or now(),
            known_at=_instant(request, "as_known_at"),
        )
        record_page_read(resolved, entities=1, began=began)
        context |= _shown(told)
        context["json_url"] = _json_url(request, told, dict(zip(shape.join_keys, keys, strict=True)))
    return render(request, "serving/entity_value.html", context)


def _shown(told: ExplainedValue) -> dict[str, object]:
    found = told.explanation
    return {
        "told": told,
        "why": STATUSES[told.status],
        "winner": None if found.winner is None else _row(found.winner),
        "beaten": [
            {**_row(one.candidate), "rule": one.rule.value, "why": RULES[one.rule]} for one in found.beaten[:MOST_ROWS]
        ],
        "beaten_count": len(found.beaten),
    }


def _row(row: Candidate) -> dict[str, object]:
    return {
        "value": row.value,
        "event": from_microseconds(row.event),
        "created": None if row.created is None else from_microseconds(row.created),
        "run_id": row.run_id,
        "run_href": _run_href(row.run_id),
    }


def _run_href(run_id: str) -> str:
    """The page of the run, which is of an app above; empty for rows that no run of this store wrote."""
    try:
        return reverse("ingestion:run", args=[UUID(run_id)])
    except (ValueError, NoReverseMatch):
        return ""


def _json_url(request: HttpRequest, told: ExplainedValue, keys: dict[str, str]) -> str:
    version = told.feature.version
    reference = f"{version.feature.group.name}:{version.feature.name}@{version.number}"
    asked = [(name, text) for name in ("at", "as_known_at") if (text := request.GET.get(name, "").strip())]
    return f"{reverse('explain-by-keys', args=[reference])}?{urlencode([*keys.items(), *asked])}"


def _instant(request: HttpRequest, name: str) -> datetime | None:
    text = request.GET.get(name, "").strip()
    return parse_instant(text, name=name, bound="end") if text else None
