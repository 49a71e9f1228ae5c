"""One feature: what it is, whether to trust it, how to use it, where it comes from."""

from __future__ import annotations

from django.db import connection
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_safe

from catalog.access import Capability, Reader, may
from catalog.disclosure import closed_features
from catalog.errors import NotFound, UnknownReference
from catalog.figures import histogram_of, quality_bars, quantiles_of, top_values_of, trends_of
from catalog.lineage_figure import lineage_figure
from catalog.models import AuditEvent, Feature, FeatureProfile, FeatureService, FeatureVersion
from catalog.panels import Slot, panels_for
from catalog.presentation import facts_of
from catalog.references import nearest_names
from catalog.snippets import FeatureUse, feature_snippets
from catalog.value_types import NUMERIC_TYPES
from catalog.views.access import page
from catalog.views.quality import thresholds

_TREND, _EVENTS, _DEPTHS = 60, 20, (1, 2, 3)


@require_safe
@page()
def feature(request: HttpRequest, name: str) -> HttpResponse:
    found = _features_named(name, group=request.GET.get("group", ""), user=request.user)
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
    profile = None if version is None else version.latest_profile
    is_closed = chosen.pk in closed_features(user=request.user, features=[chosen])
    context: dict[str, object] = {
        "feature": chosen,
        "version": version,
        "versions": versions,
        "profile": profile,
        "is_closed": is_closed,
        "bars": quality_bars(profile, thresholds=thresholds()) if profile else [],
        "is_ambiguous": Feature.objects.visible_to(request.user).filter(name=name).count() > 1,
        "may_edit": may_edit,
        "admin_url": _admin_url(request, chosen),
        "events": _events(chosen, versions) if may_edit else [],
    }
    if version is not None:
        context |= _figures(chosen, profile, version, is_closed=is_closed) | {
            "services": FeatureService.objects.visible_to(request.user).filter(versions__feature=chosen).distinct(),
            "snippets": _snippets(request, chosen, version, is_ambiguous=bool(context["is_ambiguous"])),
            "quality_panels": panels_for(Slot.FEATURE_QUALITY, request=request, subject=version),
            "panels": panels_for(Slot.FEATURE, request=request, subject=version),
            "lineage": lineage_figure(chosen, depth=_depth(request), user=request.user),
            "rules_in_words": _rules_in_words(version),
            "inherited": [fact for fact in facts_of(version.inherited) if not (is_closed and fact.inner)],
            "depth": _depth(request),
            "depths": _DEPTHS,
        }
    return render(request, "catalog/feature.html", context)


def _features_named(name: str, *, group: str, user: Reader) -> list[Feature]:
    named = Feature.objects.visible_to(user).with_details().filter(name=name).order_by("entity__name", "group__name")
    found = list(named.filter(group__name=group) if group else named)
    if not found:
        near = nearest_names(name, user=user)
        where = f" in the group {group!r}" if group else ""
        raise UnknownReference(f"there is no feature {name!r}{where}", details={"nearest": near})
    return found


def _version_of(chosen: Feature, versions: list[FeatureVersion], wanted: str) -> FeatureVersion | None:
    """The version asked for, as 1.0 or 1 (its newest minor); otherwise the default one, or the newest."""
    if not wanted:
        defaults = [version for version in versions if version.pk == chosen.default_version_id]
        return next(iter(defaults or versions), None)
    fitting = [one for one in versions if wanted.removeprefix("v") in (one.number, str(one.major))]
    if not fitting:
        known = ", ".join(version.number for version in versions) or "none"
        raise NotFound(f"{chosen.name} has no version {wanted!r}; its versions are {known}")
    return fitting[0]


def _figures(
    chosen: Feature, profile: FeatureProfile | None, version: FeatureVersion, *, is_closed: bool
) -> dict[str, object]:
    if profile is None:
        return {}
    history = list(version.profiles.order_by("-computed_at", "-pk").defer("histogram", "top_values")[:_TREND])
    numeric = version.data_type in NUMERIC_TYPES
    trends = trends_of(history[::-1], numeric=numeric and not is_closed)
    if is_closed:
        return {"trends": trends}
    return {
        "histogram": histogram_of(profile, name=chosen.name),
        "top_values": top_values_of(profile, name=chosen.name),
        "quantiles": quantiles_of(profile, name=chosen.name) if numeric else None,
        "trends": trends,
    }


def _rules_in_words(version: FeatureVersion) -> list[tuple[str, object]]:
    """The rules that are declared and limit something."""
    rules = version.validation
    limits = [(name.replace("_", " ").capitalize(), rules.get(name)) for name in ("min_value", "max_value", "pattern")]
    words: list[tuple[str, object]] = [(name, limit) for name, limit in limits if limit is not None]
    if rules.get("nullable") is False:
        words.append(("Missing values", "not allowed"))
    if rules.get("unique"):
        words.append(("Values", "each at most once"))
    return [*words, ("Broken rules", rules["severity"])] if words and rules.get("severity") else words


def _snippets(request: HttpRequest, chosen: Feature, version: FeatureVersion, *, is_ambiguous: bool) -> list[object]:
    use = FeatureUse(
        base_url=request.build_absolute_uri("/").rstrip("/"),
        name=chosen.name,
        group=chosen.group.name,
        version=version.number,
        value_column=version.value_column,
        join_keys=tuple(chosen.entity.join_keys),
        is_ambiguous=is_ambiguous,
    )
    return list(feature_snippets(use, database=connection.vendor))


def _events(chosen: Feature, versions: list[FeatureVersion]) -> list[AuditEvent]:
    of_versions = Q(object_type="featureversion", object_id__in=[str(version.pk) for version in versions])
    of_feature = Q(object_type="feature", object_id=str(chosen.pk))
    return list(AuditEvent.objects.filter(of_feature | of_versions)[:_EVENTS])


def _admin_url(request: HttpRequest, chosen: Feature) -> str:
    """Where the feature is edited; empty for those who may not, and where the admin does not know features."""
    if not (getattr(request.user, "is_staff", False) and may(request.user, Capability.EDIT_CATALOG)):
        return ""
    try:
        return reverse("admin:catalog_feature_change", args=[chosen.pk])
    except NoReverseMatch:
        return ""


def _depth(request: HttpRequest) -> int:
    given = request.GET.get("depth", "")
    return int(given) if given in {str(depth) for depth in _DEPTHS} else 2
