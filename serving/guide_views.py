"""The page for those who write programs: recipes, error codes, limits, and what one's tokens allow."""

from __future__ import annotations

from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from catalog.access import capabilities_of
from catalog.clock import now
from catalog.models import Feature, Status
from catalog.views.access import page
from catalog.wording import gettext as _
from serving.entity_rows import MAX_ENTITIES
from serving.error_meanings import error_meanings
from serving.models import ApiToken
from serving.online_reads import MAX_VALUES
from serving.recipes import recipes
from serving.resolving import MAX_FEATURES

_EXAMPLE_KEY = "15634602"


@never_cache
@require_safe
@page()
def api_guide(request: HttpRequest) -> HttpResponse:
    base_url = request.build_absolute_uri("/").rstrip("/")
    feature = _example(request)
    join_keys = ["customer_id"] if feature is None else list(feature.entity.join_keys)
    name = "balance_mean" if feature is None else f"{feature.group.name}:{feature.name}"
    key = {one: _EXAMPLE_KEY if len(join_keys) == 1 else "1" for one in join_keys}
    tokens = _tokens(request)
    scopes = {scope for token in tokens for scope in token.scopes}
    held = {capability.value for capability in capabilities_of(request.user)}
    told = recipes(base_url=base_url, feature=name, entity_key=key, day=now().date())
    return render(
        request,
        "serving/api_guide.html",
        {
            "base_url": f"{base_url}/api/v1/",
            "tokens": tokens,
            "recipes": [(one, one.capability in held, one.scope in scopes) for one in told],
            "feature": feature,
            "errors": error_meanings(),
            "limits": _limits(),
            "docs_url": _address("api-docs"),
            "schema_url": _address("api-schema"),
            "json_url": _address("api-root"),
        },
    )


def _example(request: HttpRequest) -> Feature | None:
    """The feature of the address, or the first that is active and has values."""
    visible = Feature.objects.visible_to(request.user).filter(default_version__isnull=False)
    usual = visible.filter(status=Status.ACTIVE).order_by("pk")
    group, _colon, name = request.GET.get("feature", "").rpartition(":")
    chosen = visible.filter(name=name, **({"group__name": group} if group else {})) if name else usual
    return chosen.select_related("group", "entity").first()


def _tokens(request: HttpRequest) -> list[ApiToken]:
    if not request.user.is_authenticated:
        return []
    alive = Q(expires_at__isnull=True) | Q(expires_at__gt=now())
    return list(ApiToken.objects.filter(alive, user=request.user.pk, revoked_at__isnull=True)[:20])


def _limits() -> list[tuple[str, str]]:
    configuration = settings.FEATURESTORE
    rate = configuration.security.rate_limiting
    requests = _("%(count)s a minute for each caller") % {"count": f"{rate.requests_per_minute:,}"}
    rows = _("%(count)s; more as Arrow or Parquet") % {"count": f"{configuration.serving.max_rows_json:,}"}
    return [
        (_("Requests"), requests if rate.enabled else _("no limit")),
        (_("Entities in one online request"), f"{MAX_ENTITIES:,}"),
        (_("Features in one request"), f"{MAX_FEATURES:,}"),
        (_("Values in one online answer"), f"{MAX_VALUES:,}"),
        (_("Rows of a historical answer in JSON"), rows),
    ]


def _address(route: str) -> str:
    """Where it is; empty where the configuration turns it off."""
    try:
        return reverse(route)
    except NoReverseMatch:
        return ""
