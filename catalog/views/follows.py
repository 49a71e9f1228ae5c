"""Following from the pages of features and groups."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from catalog.following import follow, unfollow
from catalog.models import Feature, FeatureGroup
from catalog.references import resolve_references
from catalog.views.access import page
from catalog.views.groups import group_named


@require_POST
@page()
def follow_feature(request: HttpRequest, name: str) -> HttpResponse:
    subject = feature_of(request, name)
    _change(request, subject)
    return HttpResponseRedirect(address_of(subject))


@require_POST
@page()
def follow_group(request: HttpRequest, name: str) -> HttpResponse:
    subject = group_named(name, user=request.user)
    _change(request, subject)
    return HttpResponseRedirect(address_of(subject))


def feature_of(request: HttpRequest, name: str) -> Feature:
    """The feature that a form on its page is about."""
    group = request.POST.get("group", "")
    return resolve_references([f"{group}:{name}" if group else name], user=request.user)[0].version.feature


def address_of(subject: Feature | FeatureGroup) -> str:
    """The page of a feature or a group."""
    if isinstance(subject, Feature):
        return f"{reverse('catalog:feature', args=[subject.name])}?{urlencode({'group': subject.group.name})}"
    return reverse("catalog:group", args=[subject.name])


def _change(request: HttpRequest, subject: Feature | FeatureGroup) -> None:
    if request.POST.get("follow") == "no":
        unfollow(user=request.user, subject=subject)
    else:
        follow(user=request.user, subject=subject)
