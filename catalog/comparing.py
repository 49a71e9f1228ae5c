"""Features side by side: what is the same of all of them, and what is not."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass

from django.http import QueryDict
from django.utils.translation import gettext as _

from catalog.access import Reader
from catalog.errors import InvalidInput
from catalog.markdown import first_sentence
from catalog.models import Feature, FeatureVersion
from catalog.presentation import NONE, format_instant, format_number, format_share, format_span, format_value
from catalog.terms import word_of

MOST_COMPARED = 4


@dataclass(frozen=True)
class ComparedRow:
    """One thing that is said of every feature; ``differs`` when it is not the same of all."""

    heading: str
    texts: tuple[str, ...]
    is_code: bool = False

    @property
    def differs(self) -> bool:
        return len(set(self.texts)) > 1


@dataclass(frozen=True)
class ComparedPart:
    heading: str
    rows: tuple[ComparedRow, ...]


def references_of(parameters: QueryDict) -> list[str]:
    """The references given as ``f``, each once.

    :raises InvalidInput: when they are more than fit side by side.
    """
    references = list(dict.fromkeys(text.strip() for text in parameters.getlist("f") if text.strip()))
    if len(references) > MOST_COMPARED:
        raise InvalidInput(
            _("at most %(most_compared)s features stand side by side, and these are %(count)s")
            % {"most_compared": MOST_COMPARED, "count": len(references)},
            details={"field": "f"},
        )
    return references


def as_versions(versions: Sequence[FeatureVersion], *, user: Reader) -> list[Feature]:
    """For each version its feature with its details, as if that version were the default."""
    rows = Feature.objects.visible_to(user).with_details().in_bulk([one.feature_id for one in versions])
    full = FeatureVersion.objects.select_related("latest_profile").in_bulk([one.pk for one in versions])
    features = []
    for version in versions:
        feature = copy(rows[version.feature_id])
        feature.default_version = full[version.pk]
        features.append(feature)
    return features


def compare(features: Sequence[Feature], *, closed: set[int]) -> list[ComparedPart]:
    """``features`` (with their details) side by side; the statistics of ``closed`` ones (by id) are not told."""
    return [
        ComparedPart(_("What it is"), tuple(_definition(features))),
        ComparedPart(_("How far to trust it"), tuple(_trust(features))),
        ComparedPart(_("Its values"), tuple(_values(features, closed))),
    ]


def _definition(features: Sequence[Feature]) -> list[ComparedRow]:
    versions = [feature.default_version for feature in features]
    return [
        ComparedRow(
            _("Description"), tuple(first_sentence(feature.description, longest=400) or NONE for feature in features)
        ),
        ComparedRow(_("Group"), tuple(feature.group.name for feature in features), is_code=True),
        ComparedRow(_("Entity"), tuple(feature.entity.name for feature in features), is_code=True),
        ComparedRow(_("Type"), tuple(NONE if version is None else version.data_type for version in versions)),
        ComparedRow(_("Unit"), tuple(feature.unit or NONE for feature in features)),
        ComparedRow(_("Version"), tuple(NONE if version is None else version.number for version in versions)),
        ComparedRow(
            _("Source"),
            tuple(
                NONE if version is None else f"{feature.group.source_table}.{version.source_column or NONE}"
                for feature, version in zip(features, versions, strict=True)
            ),
            is_code=True,
        ),
        ComparedRow(
            _("Expression"),
            tuple((version.expression if version else "") or NONE for version in versions),
            is_code=True,
        ),
        ComparedRow(
            _("Served where there is no value"),
            tuple(NONE if version is None else format_value(version.default_value) for version in versions),
        ),
        ComparedRow(
            _("Tags"), tuple(", ".join(tag.name for tag in feature.tags.all()) or NONE for feature in features)
        ),
    ]


def _trust(features: Sequence[Feature]) -> list[ComparedRow]:
    profiles = [feature.default_version.latest_profile if feature.default_version else None for feature in features]
    return [
        ComparedRow(_("Status"), tuple(feature.get_status_display() for feature in features)),
        ComparedRow(_("Tier"), tuple(feature.get_tier_display() for feature in features)),
        ComparedRow(_("Owner"), tuple(feature.effective_owner or NONE for feature in features)),
        ComparedRow(_("Sensitivity"), tuple(word_of(feature.effective_sensitivity) for feature in features)),
        ComparedRow(_("Newest value"), tuple(format_instant(one.newest_event if one else None) for one in profiles)),
        ComparedRow(_("Promised freshness"), tuple(format_span(feature.group.freshness) for feature in features)),
        ComparedRow(_("Max age"), tuple(format_span(feature.group.max_age) for feature in features)),
        ComparedRow(_("Complete"), tuple(format_share(one.completeness if one else None) for one in profiles)),
        ComparedRow(_("Valid"), tuple(format_share(one.validity if one else None) for one in profiles)),
        ComparedRow(_("Consistent"), tuple(format_share(one.consistency if one else None) for one in profiles)),
    ]


def _values(features: Sequence[Feature], closed: set[int]) -> list[ComparedRow]:
    def row(heading: str, field: str, *, is_value: bool = True) -> ComparedRow:
        texts = []
        for feature in features:
            profile = feature.default_version.latest_profile if feature.default_version else None
            if profile is None:
                texts.append(NONE)
            elif is_value and feature.pk in closed:
                texts.append(_("not for you to see"))
            else:
                texts.append(format_value(getattr(profile, field)))
        return ComparedRow(heading, tuple(texts))

    quantiles = []
    for feature in features:
        profile = feature.default_version.latest_profile if feature.default_version else None
        if profile is None or feature.pk in closed:
            quantiles.append(NONE)
        else:
            quantiles.append(format_number(profile.quantiles.get("0.5")))
    return [
        row(_("Entities"), "row_count", is_value=False),
        row(_("Without value"), "null_count", is_value=False),
        row(_("Different values"), "distinct_count", is_value=False),
        row(_("Least"), "min_value"),
        ComparedRow(_("Median"), tuple(quantiles)),
        row(_("Mean"), "mean_value"),
        row(_("Greatest"), "max_value"),
        row(_("Standard deviation"), "std_dev"),
    ]
