"""Feature services: all of them, and one with its pinned versions."""

from __future__ import annotations

import difflib

from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from catalog.errors import NotFound
from catalog.models import Feature, FeatureService
from catalog.snippets import service_snippets
from catalog.views.access import page

PAGE_SIZE = 50


@require_safe
@page()
def service_list(request: HttpRequest) -> HttpResponse:
    services = FeatureService.objects.visible_to(request.user).annotate(version_count=Count("members"))
    shown = Paginator(services.order_by("name"), PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "catalog/service_list.html", {"page": shown})


@require_safe
@page()
def service(request: HttpRequest, name: str) -> HttpResponse:
    visible = FeatureService.objects.visible_to(request.user)
    found = visible.filter(name=name).first()
    if found is None:
        near = difflib.get_close_matches(name, list(visible.values_list("name", flat=True)[:5000]), n=3)
        raise NotFound(f"there is no feature service {name!r}", details={"nearest_services": near})
    members = list(
        found.members.select_related("version__feature__group", "version__feature__entity", "version__latest_profile")
    )
    known = set(
        Feature.objects.visible_to(request.user)
        .filter(pk__in=[member.feature_id for member in members])
        .values_list("pk", flat=True)
    )
    join_keys = list(dict.fromkeys(key for member in members for key in member.version.feature.entity.join_keys))
    base_url = request.build_absolute_uri("/").rstrip("/")
    return render(
        request,
        "catalog/service.html",
        {
            "service": found,
            "members": [member for member in members if member.feature_id in known],
            "hidden_count": sum(member.feature_id not in known for member in members),
            "snippets": service_snippets(base_url=base_url, service=found.name, join_keys=join_keys) if members else [],
        },
    )
