"""Feature groups: all of them, and one with its features, source and schedule."""

from __future__ import annotations

import difflib
from collections import Counter
from dataclasses import dataclass

from django.core.paginator import Paginator
from django.db.models import Count, Exists, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from catalog.access import Capability, Reader, may
from catalog.disclosure import closed_features, grants_to, remember_grant, shows_rows_of
from catalog.drawings import Markup, mini_histogram
from catalog.errors import NotFound
from catalog.evidence import checks_of
from catalog.figures import top_values_of as top_values_figure
from catalog.group_features import features_of, with_default_versions
from catalog.group_list import groups_listed
from catalog.journal import may_close
from catalog.models import Feature, FeatureGroup, FeatureProfile, FeatureVersion, Follow, JournalEntry
from catalog.panels import Slot, panels_for, twins_of
from catalog.presentation import format_value
from catalog.snippets import Snippet, selection_snippets
from catalog.trust import Checks, State, Use, Verdict
from catalog.trusting import trust_of
from catalog.twins import list_twin
from catalog.views.access import page

PAGE_SIZE = 50
FEATURES_SHOWN = 48
MOST_SELECTED = 200
_ENTRIES = 30
_WORST_FIRST = (State.BAD, State.WARN, State.UNKNOWN, State.GOOD)


@dataclass(frozen=True)
class FeatureTile:
    """A feature with its small drawing and its verdict."""

    feature: Feature
    drawing: Markup | None
    trust: Verdict | None
    is_closed: bool


@require_safe
@page()
def group_list(request: HttpRequest) -> HttpResponse:
    shown = Paginator(groups_listed(request.user), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"page": shown, "json_url": list_twin("group-list", shown)}
    return render(request, "catalog/group_list.html", context)


@require_safe
@page()
def group(request: HttpRequest, name: str) -> HttpResponse:
    found = group_named(name, user=request.user)
    features = features_of(found, loaded=_of_page(request.user))
    values_open = shows_rows_of(user=request.user, group=found, features=features)
    visible = [one for one in features if getattr(one, "is_visible", False)]
    shown = Paginator(visible, FEATURES_SHOWN).get_page(request.GET.get("page"))
    tiles = _tiles(list(shown.object_list), found, user=request.user)
    selected = _selected(request, visible)
    journal = list(JournalEntry.objects.visible_to(request.user).filter(group=found)[:_ENTRIES])
    panels = panels_for(Slot.GROUP, request=request, subject=found)
    aside = panels_for(Slot.GROUP_ASIDE, request=request, subject=found)
    return render(
        request,
        "catalog/group.html",
        {
            "group": found,
            "page": shown,
            "tiles": tiles,
            "verdicts": _counted(tiles),
            "selected": selected,
            "snippets": _snippets(request, found, selected),
            "may_make_service": may(request.user, Capability.MANAGE_SERVICES),
            "values_open": values_open,
            "journal": [(one, one.is_open and may_close(entry=one, closer=request.user)) for one in journal],
            "incidents": [one for one in journal if one.is_open],
            "may_write": may(request.user, Capability.WRITE_JOURNAL),
            "is_followed": getattr(found, "is_followed", False),
            "admin_url": _admin_url(request, found),
            "json_url": reverse("group-detail", kwargs={"name": found.name}),
            "actions": panels_for(Slot.GROUP_ACTIONS, request=request, subject=found),
            "json_parts": [
                (_("Journal"), f"{reverse('journal-list')}?{urlencode({'group': found.name})}"),
                *twins_of(panels, aside),
            ],
            "panels": panels,
            "aside": aside,
        },
    )


def _of_page(user: Reader) -> QuerySet[Feature]:
    """The features of a group with what its page tells of each, so that this takes no query of its own: whether
    ``user`` may know of it and of its replacement, and how many incidents are open on it."""
    visible = Feature.objects.visible_to(user)
    return (
        with_default_versions()
        .select_related("replacement")
        .annotate(
            is_visible=Exists(visible.filter(pk=OuterRef("pk"))),
            shows_replacement=Exists(visible.filter(pk=OuterRef("replacement"))),
            incident_count=_open_incidents("feature", user),
        )
    )


def _open_incidents(subject: str, user: Reader) -> Coalesce:
    """How many incidents are open on the row itself, which is the ``subject`` of journal entries."""
    found = JournalEntry.objects.visible_to(user).open_incidents().filter(**{subject: OuterRef("pk")})
    counted = found.order_by().values(subject).annotate(found=Count("pk")).values("found")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def _selected(request: HttpRequest, features: list[Feature]) -> list[str]:
    """The references of the features that the address selects, pinned to their default versions."""
    known = {one.name: one for one in features}
    wanted = list(dict.fromkeys(request.GET.getlist("select")))[:MOST_SELECTED]
    return [
        f"{known[name].group.name}:{name}@{version.number}"
        for name in wanted
        if name in known and (version := known[name].default_version) is not None
    ]


def _snippets(request: HttpRequest, found: FeatureGroup, selected: list[str]) -> list[Snippet]:
    if not selected:
        return []
    base_url = request.build_absolute_uri("/").rstrip("/")
    return selection_snippets(base_url=base_url, references=selected, join_keys=found.entity.join_keys)


def _counted(tiles: list[FeatureTile]) -> list[tuple[str, str, int]]:
    """How many features of the page have each verdict, as (state, words, count), the worst first."""
    verdicts = [tile.trust for tile in tiles if tile.trust is not None]
    counts = Counter(one.state for one in verdicts)
    words = {one.state: one.words for one in verdicts}
    return [(state.value, words[state], counts[state]) for state in _WORST_FIRST if counts[state]]


def group_named(name: str, *, user: Reader) -> FeatureGroup:
    """The group called ``name``.

    :raises NotFound: when there is none that ``user`` may know of; details["nearest"] lists names that are alike.
    """
    visible = FeatureGroup.objects.visible_to(user)
    details = (
        visible.select_related("entity")
        .prefetch_related("tags")
        .annotate(
            is_followed=Exists(Follow.objects.filter(user=user.pk, group=OuterRef("pk"))),
            is_granted=Exists(grants_to(user).filter(group=OuterRef("pk"))),
            incident_count=_open_incidents("group", user),
        )
    )
    found = details.filter(name=name).first()
    if found is None:
        near = difflib.get_close_matches(name, list(visible.values_list("name", flat=True)[:5000]), n=3)
        raise NotFound(_("there is no feature group %(name)r") % {"name": name}, details={"nearest_groups": near})
    remember_grant(found, user=user, is_granted=getattr(found, "is_granted", False))
    return found


def _tiles(features: list[Feature], group: FeatureGroup, *, user: Reader) -> list[FeatureTile]:
    closed = closed_features(user=user, features=features)
    versions = [feature.default_version for feature in features if feature.default_version is not None]
    _load_profiles(versions)
    checks = checks_of(versions, group=group) if versions else {}
    return [
        FeatureTile(
            feature=feature,
            drawing=None if feature.pk in closed else _mini(feature),
            trust=None if version is None else _trust(version, checks=checks.get(version.pk)),
            is_closed=feature.pk in closed,
        )
        for feature in features
        for version in (feature.default_version,)
    ]


def _load_profiles(versions: list[FeatureVersion]) -> None:
    wanted = {version.latest_profile_id for version in versions if version.latest_profile_id is not None}
    profiles = FeatureProfile.objects.in_bulk(wanted) if wanted else {}
    for version in versions:
        if version.latest_profile_id is not None:
            version.latest_profile = profiles.get(version.latest_profile_id)


def _trust(version: FeatureVersion, *, checks: Checks | None) -> Verdict:
    """As :func:`catalog.trusting.trust_lines` judges, from what the page has read of the feature and its group."""
    feature = version.feature
    replaced_by = feature.replacement if getattr(feature, "shows_replacement", False) else None
    return trust_of(
        version,
        checks=checks,
        use=Use(),
        open_incidents=getattr(feature, "incident_count", 0) + getattr(feature.group, "incident_count", 0),
        replaced_by="" if replaced_by is None else replaced_by.name,
    )


def _mini(feature: Feature) -> Markup | None:
    """The shape of the values in the space of a card: a histogram, or the most frequent ones."""
    profile = None if feature.default_version is None else feature.default_version.latest_profile
    if profile is None:
        return None
    counts = profile.histogram.get("counts") or []
    if counts:
        return mini_histogram(
            edges=profile.histogram["edges"],
            counts=counts,
            mark=profile.mean_value,
            title=_("Distribution of %s") % feature.name,
            description=_("%(low)s to %(high)s")
            % {"low": format_value(profile.min_value), "high": format_value(profile.max_value)},
            width=240,
            height=44,
        )
    tops = top_values_figure(profile, name=feature.name, width=280, most=4)
    return None if tops is None else tops.drawing


def _admin_url(request: HttpRequest, found: FeatureGroup) -> str:
    if not (getattr(request.user, "is_staff", False) and may(request.user, Capability.EDIT_CATALOG)):
        return ""
    try:
        return reverse("admin:catalog_featuregroup_change", args=[found.pk])
    except NoReverseMatch:
        return ""
