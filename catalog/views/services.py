"""Feature services: all of them, and one with its pinned versions."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence

from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_POST, require_safe

from catalog.access import Capability, may
from catalog.declarations import NAME
from catalog.errors import InvalidInput, NotFound
from catalog.models import FeatureService, FeatureServiceMember, FeatureVersion
from catalog.pinned import pinned_by
from catalog.services import create_service
from catalog.snippets import service_snippets
from catalog.twins import list_twin
from catalog.views.access import page
from catalog.wording import gettext as _

PAGE_SIZE = 50


@require_safe
@page()
def service_list(request: HttpRequest) -> HttpResponse:
    versions = FeatureVersion.objects.visible_to(request.user)
    counted = Count("members", filter=Q(members__version__in=versions))
    services = FeatureService.objects.visible_to(request.user).annotate(version_count=counted)
    shown = Paginator(services.order_by("name"), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"page": shown, "json_url": list_twin("service-list", shown)}
    return render(request, "catalog/service_list.html", context)


@require_safe
@page()
def service(request: HttpRequest, name: str) -> HttpResponse:
    visible = FeatureService.objects.visible_to(request.user)
    found = visible.filter(name=name).first()
    if found is None:
        near = difflib.get_close_matches(name, list(visible.values_list("name", flat=True)[:5000]), n=3)
        raise NotFound(_("there is no feature service %(name)r") % {"name": name}, details={"nearest_services": near})
    pinned = pinned_by(found, user=request.user)
    join_keys = list(pinned.join_keys)
    base_url = request.build_absolute_uri("/").rstrip("/")
    return render(
        request,
        "catalog/service.html",
        {
            "service": found,
            "members": pinned.members,
            "weakest": pinned.weakest,
            "hidden_count": pinned.hidden,
            "join_keys": join_keys,
            "request_example": json.dumps(_request_example(found.name, join_keys), indent=2),
            "response_example": json.dumps(
                _response_example([member for member, _ in pinned.members], join_keys), indent=2
            ),
            "snippets": service_snippets(base_url=base_url, service=found.name, join_keys=join_keys)
            if pinned.members or pinned.hidden
            else [],
            "admin_url": _admin_url(request, found),
            "json_url": reverse("service-detail", kwargs={"name": found.name}),
        },
    )


@require_POST
@page(Capability.MANAGE_SERVICES)
def make_service(request: HttpRequest) -> HttpResponse:
    """A new feature service from what was selected on the page of a group."""
    name = request.POST.get("name", "").strip()
    if not NAME.fullmatch(name):
        raise InvalidInput(
            _("%(name)r is not a name; use a-z, 0-9 and _, starting with a letter, at most 100 long") % {"name": name}
        )
    made = create_service(
        user=request.user,
        name=name,
        features=request.POST.getlist("feature"),
        description=request.POST.get("description", "").strip(),
        owner=request.user.get_username(),
    )
    return HttpResponseRedirect(reverse("catalog:service", args=[made.name]))


def _request_example(name: str, join_keys: list[str]) -> dict[str, str]:
    entity = {"entity_id": "15634602"} if len(join_keys) == 1 else dict.fromkeys(join_keys, "1")
    return {**entity, "service": name}


_EXAMPLES = {
    "float": 12.5,
    "integer": 7,
    "string": "text",
    "boolean": True,
    "timestamp": "2025-06-01T00:00:00Z",
    "float_list": [0.5, 1.5],
}


def _response_example(members: Sequence[FeatureServiceMember], join_keys: list[str]) -> dict[str, object]:
    entity = "15634602" if len(join_keys) == 1 else dict.fromkeys(join_keys, "1")
    values = {one.version.feature.name: _EXAMPLES.get(one.version.data_type) for one in members}
    return {"entity_id": entity, "features": values}


def _admin_url(request: HttpRequest, found: FeatureService) -> str:
    if not (getattr(request.user, "is_staff", False) and may(request.user, Capability.MANAGE_SERVICES)):
        return ""
    try:
        return reverse("admin:catalog_featureservice_change", args=[found.pk])
    except NoReverseMatch:
        return ""
