"""A person's own page: what they follow, their saved views, tokens and requests."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from catalog.cards import cards_of
from catalog.errors import Conflict, InvalidInput
from catalog.feature_requests import ask_for_feature
from catalog.models import Feature, FeatureRequest, Follow, SavedView
from catalog.panels import Slot, panels_for, twins_of
from catalog.saved_views import remove_view, save_view
from catalog.views.access import page

_FOLLOWED, _REQUESTS = 60, 25


@never_cache
@require_safe
@page()
def me(request: HttpRequest) -> HttpResponse:
    if isinstance(request.user, AnonymousUser):
        return redirect_to_login(reverse("catalog:me"))
    follows = Follow.objects.visible_to(request.user).filter(user_id=request.user.pk)
    groups = [follow.group for follow in follows.filter(group__isnull=False).select_related("group__entity")]
    followed = Feature.objects.visible_to(request.user).with_details().filter(follows__user_id=request.user.pk)
    asked = FeatureRequest.objects.filter(user_id=request.user.pk).told_to(request.user)
    panels = panels_for(Slot.OWN, request=request)
    context = {
        "views": list(SavedView.objects.filter(user_id=request.user.pk)),
        "cards": cards_of(request, list(followed.order_by("name")[:_FOLLOWED])),
        "groups": groups[:_FOLLOWED],
        "requests": Paginator(asked, _REQUESTS).get_page(request.GET.get("page")),
        "panels": panels,
        "json_url": reverse("me"),
        "json_parts": twins_of(panels),
    }
    return render(request, "catalog/me.html", context)


@require_POST
@page()
def save(request: HttpRequest) -> HttpResponse:
    """Keep a search; then it is open under its slug."""
    if isinstance(request.user, AnonymousUser):
        return redirect_to_login(reverse("catalog:search"))
    query = QueryDict(request.POST.get("query", ""))
    try:
        is_shared = request.POST.get("is_shared") == "true"
        view = save_view(user=request.user, name=request.POST.get("name", ""), query=query, is_shared=is_shared)
    except (InvalidInput, Conflict) as error:
        messages.error(request, error.message)
        return redirect(f"{reverse('catalog:search')}?{query.urlencode()}")
    messages.success(request, _("The view %s is saved.") % view.name)
    return redirect(f"{reverse('catalog:search')}?view={view.slug}")


@require_POST
@page()
def remove(request: HttpRequest, slug: str) -> HttpResponse:
    """Forget one of one's own views; those of others are not found."""
    if isinstance(request.user, AnonymousUser):
        return redirect_to_login(reverse("catalog:me"))
    remove_view(user=request.user, slug=slug)
    messages.success(request, _("The view is removed."))
    return redirect("catalog:me")


@require_POST
@page()
def ask(request: HttpRequest) -> HttpResponse:
    """Record that a feature is missing."""
    if isinstance(request.user, AnonymousUser):
        return redirect_to_login(reverse("catalog:search"))
    query = request.POST.get("query", "")
    try:
        ask_for_feature(
            user=request.user,
            wanted=request.POST.get("wanted", ""),
            reason=request.POST.get("reason", ""),
            query=query,
        )
    except (InvalidInput, Conflict) as error:
        messages.error(request, error.message)
        return redirect(f"{reverse('catalog:search')}?{QueryDict(query).urlencode()}")
    messages.success(request, _("It is asked for. The answer will be here."))
    return redirect(reverse("catalog:me") + "#requests")
