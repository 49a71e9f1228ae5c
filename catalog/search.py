"""Finding features by words: exact names first, then beginnings, words of the name, tags, descriptions."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from django.db.models import Case, CharField, Exists, F, IntegerField, OuterRef, Q, Value, When
from django.db.models.functions import Concat

from catalog.access import Reader
from catalog.models import Feature, Tag
from catalog.models.feature import FeatureQuerySet

MAX_WORDS = 12
_SEPARATORS = re.compile(r"[\W_]+")
_VERSION_TAIL = re.compile(r"(_v\d{1,9}|@v?\d{1,9}(\.\d{1,9})?)\Z")
_VOCABULARY = 20_000
_HARDLY_FURTHER = 0.12


@dataclass(frozen=True)
class FoundFeatures:
    """``features`` ranked, best first; ``did_you_mean`` holds other searches when there are none."""

    features: FeatureQuerySet
    did_you_mean: tuple[str, ...] = ()


def search_features(
    *, user: Reader, q: str = "", tags: Sequence[str] = (), match: Literal["any", "all"] = "any"
) -> FoundFeatures:
    """The features visible to ``user`` that fit every word of ``q`` and any (or all) of ``tags``.

    Ranked by ``rank`` (0 is best), then name. When nothing fits a ``q``, searches that are spelled alike and would
    find something.
    """
    features = tagged(Feature.objects.visible_to(user), tags=tags, match=match)
    ranked = ranked_by(features, q)
    if not words_of(q) or ranked.exists():
        return FoundFeatures(features=ranked)
    return FoundFeatures(features=ranked, did_you_mean=did_you_mean(q, user=user))


def tagged(features: FeatureQuerySet, *, tags: Sequence[str], match: Literal["any", "all"] = "any") -> FeatureQuerySet:
    """Those of ``features`` with any, or all, of ``tags``; tags are compared in lower case."""
    wanted = [tag.strip().lower() for tag in tags if tag.strip()]
    if not wanted:
        return features
    if match == "any":
        return features.filter(_has_tag(name__in=wanted))
    for tag in wanted:
        features = features.filter(_has_tag(name=tag))
    return features


def words_of(q: str) -> list[str]:
    """The words of a search, in lower case; what separates the parts of names and references separates words."""
    return [word for word in _SEPARATORS.split(_VERSION_TAIL.sub("", q.strip().lower())) if word][:MAX_WORDS]


def ranked_by(features: FeatureQuerySet, q: str) -> FeatureQuerySet:
    """Those of ``features`` that every word of ``q`` fits, best ``rank`` first; without words all, rank 0, by name."""
    words = words_of(q)
    if not words:
        kept = features.none() if q.strip() else features
        return kept.annotate(rank=Value(0)).order_by("name", "pk")
    joined = "_".join(words)
    every_word, in_name, in_tags = Q(), Q(), Q()
    for word in words:
        tag = _has_tag(name__contains=word)
        text = Q(description__icontains=word) | Q(group__name__contains=word) | Q(entity__name__contains=word)
        column = Q(default_version__source_column__icontains=word)
        every_word &= Q(name__contains=word) | Q(tag) | text | column
        in_name &= Q(name__contains=word)
        in_tags &= Q(name__contains=word) | Q(tag)
    named = features.annotate(
        name_with_entity=Concat(F("entity__name"), Value("_"), F("name"), output_field=CharField()),
        name_with_group=Concat(F("group__name"), Value("_"), F("name"), output_field=CharField()),
    )
    exact = Q(name=joined) | Q(name_with_entity=joined) | Q(name_with_group=joined)
    rank = Case(
        When(exact, then=0),
        When(name__startswith=joined, then=1),
        When(in_name, then=2),
        When(in_tags, then=3),
        default=4,
        output_field=IntegerField(),
    )
    return named.filter(exact | every_word).annotate(rank=rank).order_by("rank", "name", "pk")


def did_you_mean(q: str, *, user: Reader, count: int = 3) -> tuple[str, ...]:
    """Searches spelled like ``q`` that find something: near names first, then its words each put right."""
    words = words_of(q)
    names = list(Feature.objects.visible_to(user).values_list("name", flat=True).distinct()[:_VOCABULARY])
    found = _closest("_".join(words), names, count)
    vocabulary = {part for name in names for part in name.split("_")}
    vocabulary.update(Tag.objects.filter(features__in=Feature.objects.visible_to(user)).values_list("name", flat=True))
    corrected = []
    for word in words:
        near = [word] if word in vocabulary else difflib.get_close_matches(word, sorted(vocabulary), n=1, cutoff=0.6)
        corrected += near
    phrase = " ".join(corrected)
    if len(corrected) == len(words) and phrase.replace(" ", "_") not in found:
        visible = Feature.objects.visible_to(user)
        if corrected != words and ranked_by(visible, phrase).exists():
            found.append(phrase)
    return tuple(found)


def _closest(name: str, names: Sequence[str], count: int) -> list[str]:
    """The names most like ``name``: the nearest, and those that are hardly further away."""
    near = difflib.get_close_matches(name, names, n=count, cutoff=0.6)
    likeness = [difflib.SequenceMatcher(None, name, one).ratio() for one in near]
    return [one for one, ratio in zip(near, likeness, strict=True) if ratio >= likeness[0] - _HARDLY_FURTHER]


def _has_tag(**conditions: object) -> Exists:
    through = Feature.tags.through.objects
    named = {f"tag__{key}": value for key, value in conditions.items()}
    return Exists(through.filter(feature_id=OuterRef("pk"), **named))
