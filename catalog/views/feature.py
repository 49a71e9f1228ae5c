"""One feature: whether to trust it, how to use it, how its values are, where it comes from and who uses it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from catalog.access import Capability, Reader, may
from catalog.audit_trail import changes_of
from catalog.baselines import PREVIOUS, WORDS, choose_baseline
from catalog.consumers import Consumers, pins_of
from catalog.disclosure import closed_features, grants_to, remember_grant
from catalog.errors import NotFound, UnknownReference
from catalog.evidence import callers_of, checks_of
from catalog.figures import histogram_of, quality_bars, quantiles_of, top_values_of
from catalog.figures_over_time import trends_of
from catalog.journal import may_close
from catalog.models import (
    Feature,
    FeatureProfile,
    FeatureVersion,
    Follow,
    JournalEntry,
)
from catalog.one_hop import neighbours_of
from catalog.panels import Slot, panels_for, twins_of
from catalog.presentation import facts_of
from catalog.quality_thresholds import thresholds
from catalog.references import nearest_names
from catalog.similar import similar_features
from catalog.snippets import FeatureUse, Snippet, feature_snippets
from catalog.stability import stability_index
from catalog.terms import word_of
from catalog.trust import Use
from catalog.trusting import trust_of
from catalog.value_types import NUMERIC_TYPES
from catalog.version_history import VersionDifference, difference, predecessor
from catalog.views.access import page

_TREND, _EVENTS, _ENTRIES = 60, 20, 30
_CHARTED = 30


@require_safe
@page()
def feature(request: HttpRequest, name: str) -> HttpResponse:
    named = features_named(name, user=request.user)
    found = _of_group(named, request.GET.get("group", ""), user=request.user, name=name)
    if len(found) > 1:
        return render(request, "catalog/feature_choice.html", {"name": name, "features": found})
    chosen = found[0]
    versions = list(
        FeatureVersion.objects.visible_to(request.user).filter(feature=chosen).select_related("latest_profile")
    )
    for one in versions:
        one.feature = chosen
    version = _version_of(chosen, versions, request.GET.get("version", ""))
    may_edit = may(request.user, Capability.EDIT_CATALOG)
    is_closed = chosen.pk in closed_features(user=request.user, features=[chosen])
    context: dict[str, object] = {
        "feature": chosen,
        "version": version,
        "versions": versions,
        "is_closed": is_closed,
        "is_ambiguous": len(named) > 1,
        "replaced_by": chosen.replacement if getattr(chosen, "shows_replacement", False) else None,
        "is_followed": getattr(chosen, "is_followed", False),
        "may_write": may(request.user, Capability.WRITE_JOURNAL),
        "admin_url": _admin_url(request, chosen),
        "events": list(changes_of(chosen, versions=versions)[:_EVENTS]) if may_edit else [],
        "may_edit": may_edit,
        "json_url": _json_url(chosen, version),
    }
    journal = list(_journal(chosen, request.user))
    context["journal"] = [(one, one.is_open and may_close(entry=one, closer=request.user)) for one in journal]
    context["incidents"] = [one for one in journal if one.is_open]
    if version is not None:
        context |= _of_version(request, version, versions, context)
    context["json_parts"] = _json_parts(chosen, version, context)
    return render(request, "catalog/feature.html", context)


def features_named(name: str, *, user: Reader) -> list[Feature]:
    """The features called ``name`` that ``user`` may know of, with their details and whether ``user`` follows them.

    :raises UnknownReference: when there is none; ``details["nearest"]`` has names that are alike.
    """
    visible = Feature.objects.visible_to(user)
    found = list(
        visible.with_details()
        .select_related("replacement__group")
        .filter(name=name)
        .annotate(
            is_followed=Exists(Follow.objects.filter(user=user.pk, feature=OuterRef("pk"))),
            shows_replacement=Exists(visible.filter(pk=OuterRef("replacement"))),
            is_granted=Exists(grants_to(user).filter(group=OuterRef("group"))),
        )
        .order_by("entity__name", "group__name")
    )
    if not found:
        raise UnknownReference(
            _("there is no feature %(name)r") % {"name": name}, details={"nearest": nearest_names(name, user=user)}
        )
    for one in found:
        remember_grant(one.group, user=user, is_granted=getattr(one, "is_granted", False))
    return found


def _of_group(named: list[Feature], group: str, *, user: Reader, name: str) -> list[Feature]:
    found = [one for one in named if group in ("", one.group.name)]
    if not found:
        near = nearest_names(name, user=user)
        raise UnknownReference(
            _("there is no feature %(name)r in the group %(group)r") % {"name": name, "group": group},
            details={"nearest": near},
        )
    return found


def _version_of(chosen: Feature, versions: list[FeatureVersion], wanted: str) -> FeatureVersion | None:
    """The version asked for, as 1.0 or 1 (its newest minor); otherwise the default one, or the newest."""
    if not wanted:
        defaults = [version for version in versions if version.pk == chosen.default_version_id]
        return next(iter(defaults or versions), None)
    fitting = [one for one in versions if wanted.removeprefix("v") in (one.number, str(one.major))]
    if not fitting:
        known = ", ".join(version.number for version in versions) or _("none")
        raise NotFound(
            _("%(name)s has no version %(wanted)r; its versions are %(known)s")
            % {"name": chosen.name, "wanted": wanted, "known": known}
        )
    return fitting[0]


def _of_version(
    request: HttpRequest, version: FeatureVersion, versions: list[FeatureVersion], context: dict[str, object]
) -> dict[str, object]:
    """All that a page with a version has beyond one without."""
    user, chosen, profile = request.user, version.feature, version.latest_profile
    is_closed = bool(context["is_closed"])
    neighbours = neighbours_of(chosen, user=user)
    consumers = Consumers(
        pins=pins_of(chosen, user=user),
        datasets=neighbours.datasets,
        callers=callers_of([version], user=user).get(chosen.pk, []),
    )
    replaced_by = context["replaced_by"]
    trust = trust_of(
        version,
        checks=checks_of([version]).get(version.pk),
        use=Use(
            services=consumers.service_count,
            datasets=len(consumers.datasets),
            callers=len(consumers.callers),
        ),
        open_incidents=len(context["incidents"]),  # type: ignore[arg-type]  # a list
        replaced_by=replaced_by.name if isinstance(replaced_by, Feature) else "",
    )
    return {
        "trust": trust,
        "profile": profile,
        "bars": quality_bars(profile, thresholds=thresholds()) if profile else [],
        "snippets": _snippets(request, version, is_ambiguous=bool(context["is_ambiguous"])),
        "rules_in_words": _rules_in_words(version),
        "inherited": [fact for fact in facts_of(version.inherited) if not (is_closed and fact.inner)],
        "quality_panels": panels_for(Slot.FEATURE_QUALITY, request=request, subject=version),
        "panels": panels_for(Slot.FEATURE, request=request, subject=version),
        "neighbours": neighbours,
        "consumers": consumers,
        "callers_named": bool(consumers.callers) and bool(consumers.callers[0].name),
        "similar": similar_features(version, user=user),
        "difference": _difference(request, version, versions, is_closed=is_closed),
        **_figures(request, version, is_closed=is_closed),
    }


def _figures(request: HttpRequest, version: FeatureVersion, *, is_closed: bool) -> dict[str, object]:
    profile = version.latest_profile
    if profile is None:
        return {}
    name = version.feature.name
    history = list(version.profiles.order_by("-computed_at", "-pk").defer("top_values")[:_TREND])
    against = request.GET.get("against", "")
    baseline = choose_baseline(history, against)
    numeric = version.data_type in NUMERIC_TYPES
    told: dict[str, object] = {
        "trends": trends_of(
            history[:_CHARTED][::-1], numeric=numeric and not is_closed, complete=thresholds()["completeness"]
        ),
        "against": against or PREVIOUS,
        "baseline": baseline,
        "baselines": _baselines(history),
    }
    if is_closed:
        return told
    index = None if baseline is None else stability_index(baseline.histogram, profile.histogram)
    return told | {
        "histogram": histogram_of(profile, name=name, baseline=baseline),
        "top_values": top_values_of(profile, name=name),
        "quantiles": quantiles_of(profile, name=name) if numeric else None,
        "stability": index,
    }


def _baselines(history: Sequence[FeatureProfile]) -> list[tuple[str, str]]:
    """The choices of what to compare with: as the address says it, and as people do."""
    dated = [(str(one.pk), f"{one.computed_at:%Y-%m-%d %H:%M} UTC") for one in history[1:]]
    return [*((key, str(words)) for key, words in WORDS.items()), *dated] if dated else []


def _difference(
    request: HttpRequest, version: FeatureVersion, versions: list[FeatureVersion], *, is_closed: bool
) -> VersionDifference | None:
    wanted = request.GET.get("from", "")
    before = _version_of(version.feature, versions, wanted) if wanted else predecessor(version, versions)
    if before is None or before.pk == version.pk:
        return None
    return difference(before, version, shows_values=not is_closed)


def _rules_in_words(version: FeatureVersion) -> list[tuple[str, object]]:
    """The rules that are declared and limit something."""
    rules = version.validation
    limits = [(_("Min value"), "min_value"), (_("Max value"), "max_value"), (_("Pattern"), "pattern")]
    words: list[tuple[str, object]] = [(said, rules[name]) for said, name in limits if rules.get(name) is not None]
    if rules.get("nullable") is False:
        words.append((_("Missing values"), _("not allowed")))
    if rules.get("unique"):
        words.append((_("Values"), _("each at most once")))
    return [*words, (_("Broken rules"), word_of(rules["severity"]))] if words and rules.get("severity") else words


def _snippets(request: HttpRequest, version: FeatureVersion, *, is_ambiguous: bool) -> list[Snippet]:
    chosen = version.feature
    use = FeatureUse(
        base_url=request.build_absolute_uri("/").rstrip("/"),
        name=chosen.name,
        group=chosen.group.name,
        version=version.number,
        value_column=version.value_column,
        join_keys=tuple(chosen.entity.join_keys),
        is_ambiguous=is_ambiguous,
    )
    return feature_snippets(use, database=connection.vendor)


def _journal(chosen: Feature, user: Reader) -> Sequence[JournalEntry]:
    about = Q(feature=chosen) | Q(group=chosen.group_id)
    entries = JournalEntry.objects.visible_to(user).filter(about).select_related("group")
    for one in (found := list(entries[:_ENTRIES])):
        if one.feature_id == chosen.pk:
            one.feature = chosen
    return found


def _json_url(chosen: Feature, version: FeatureVersion | None) -> str:
    """Empty for a feature without a version, of which there is no definition that could be told."""
    if version is None:
        return ""
    return reverse("feature-detail", kwargs={"ref": f"{chosen.group.name}:{chosen.name}@{version.number}"})


def _json_parts(chosen: Feature, version: FeatureVersion | None, context: dict[str, Any]) -> list[tuple[str, str]]:
    """The calls that tell what the first one does not; those of the apps above come with their panels."""
    if version is None:
        return []
    name = f"{chosen.group.name}:{chosen.name}"
    reference = {"ref": f"{name}@{version.number}"}
    parts = [(_("Journal"), f"{reverse('journal-list')}?{urlencode({'about': name})}")]
    parts += [
        (label, reverse(f"feature-{call}", kwargs=reference))
        for label, call in (
            (_("Statistics over time"), "profiles"),
            (_("Lineage"), "lineage"),
            (_("Consumers"), "consumers"),
            (_("Similar features"), "similar"),
        )
    ]
    if context["may_edit"]:
        parts.append((_("Audit"), reverse("feature-audit", kwargs=reference)))
    return [*parts, *twins_of(context["quality_panels"], context["panels"])]


def _admin_url(request: HttpRequest, chosen: Feature) -> str:
    """Where the feature is edited; empty for those who may not, and where the admin does not know features."""
    if not (getattr(request.user, "is_staff", False) and may(request.user, Capability.EDIT_CATALOG)):
        return ""
    try:
        return reverse("admin:catalog_feature_change", args=[chosen.pk])
    except NoReverseMatch:
        return ""
