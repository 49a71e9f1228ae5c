"""Features like one: by words of the name, tags, source and the shape of their values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce

from catalog.access import Capability, Reader, may
from catalog.disclosure import SENSITIVE
from catalog.models import Feature, FeatureProfile, FeatureVersion, Status
from catalog.stability import stability_index
from catalog.wording import gettext as _
from catalog.wording import ngettext

# Words that say how a value was computed and not what it is.
_WORDS = re.compile(r"[a-z0-9]+")
_STOP = frozenset({"mean", "avg", "sum", "min", "max", "std", "last", "first", "count", "mode", "median", "is", "has"})
_LOOKED_AT, _ALIKE = 30, 0.1


@dataclass(frozen=True)
class Similar:
    """``why`` are the reasons as words, the strongest first."""

    feature: Feature
    version: FeatureVersion
    why: tuple[str, ...]
    score: int


def similar_features(version: FeatureVersion, *, user: Reader, most: int = 6) -> list[Similar]:
    """The features most like that of ``version`` which ``user`` may know of, best first. One query.

    The tags of the feature must be loaded. Shapes are compared only where the reader may see the values of both.
    """
    feature = version.feature
    tags = [tag.pk for tag in feature.tags.all()]
    found = list(_candidates(version, tags, user)[:_LOOKED_AT])
    ranked = [similar for one in found if (similar := _judged(version, one, user))]
    return sorted(ranked, key=lambda one: (-one.score, one.feature.name, one.feature.pk))[:most]


def _candidates(version: FeatureVersion, tags: list[int], user: Reader) -> QuerySet[Any]:
    feature = version.feature
    words = _name_words(feature.name)
    named = sum((Case(When(name__icontains=word, then=Value(3)), default=Value(0)) for word in words), start=Value(0))
    of_tags: Any = Feature.tags.through.objects.filter(feature=OuterRef("pk"), tag__in=tags).order_by()
    shared = Coalesce(
        Subquery(of_tags.values("feature").annotate(shared=Count("pk")).values("shared"), output_field=IntegerField()),
        Value(0),
    )
    same_column = Q(
        group__source_table=feature.group.source_table, default_version__source_column=version.source_column
    ) & ~Q(default_version__source_column="")
    others = Feature.objects.visible_to(user).exclude(pk=feature.pk).filter(default_version__isnull=False)
    return (
        others.exclude(status=Status.ARCHIVED)
        .annotate(
            of_name=named,
            of_tags=shared,
            of_source=Case(When(same_column, then=Value(4)), default=Value(0)),
            closeness=F("of_name") + F("of_tags") + F("of_source"),
        )
        .filter(closeness__gt=0)
        .select_related("group", "entity", "default_version__latest_profile")
        .order_by("-closeness", "name", "pk")
    )


def _judged(version: FeatureVersion, other: Any, user: Reader) -> Similar | None:
    why, score = [], int(other.closeness)
    if other.of_source:
        why.append(_("the same source column"))
    shared = [word for word in _name_words(version.feature.name) if word in other.name]
    if shared:
        why.append(" ".join(shared))
    if other.of_tags:
        why.append(ngettext("%(count)s shared tag", "%(count)s shared tags", other.of_tags) % {"count": other.of_tags})
    if _shaped_alike(version, other, user):
        why.append(_("values distributed alike"))
        score += 3
    default = other.default_version
    default.feature = other
    return Similar(feature=other, version=default, why=tuple(why), score=score) if why else None


def _shaped_alike(version: FeatureVersion, other: Feature, user: Reader) -> bool:
    default = other.default_version
    if default is None or default.data_type != version.data_type:
        return False
    if not all(_is_open(one, user) for one in (version.feature, other)):
        return False
    first, second = version.latest_profile, default.latest_profile
    if not isinstance(first, FeatureProfile) or not isinstance(second, FeatureProfile):
        return False
    index = stability_index(first.histogram, second.histogram)
    return index is not None and index < _ALIKE


def _is_open(feature: Feature, user: Reader) -> bool:
    open_to_all = feature.effective_sensitivity not in SENSITIVE
    return may(user, Capability.READ_VALUES) and (open_to_all or may(user, Capability.READ_SENSITIVE))


def _name_words(name: str) -> list[str]:
    every = [word for word in _WORDS.findall(name.replace("_", " ")) if len(word) > 2]
    return [word for word in every if word not in _STOP] or every
