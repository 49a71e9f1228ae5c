"""Features as a list of results shows them, with what the apps above know of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from catalog.contributions import load_contributions
from catalog.disclosure import closed_features
from catalog.drawings import Markup, mini_histogram
from catalog.markdown import first_sentence
from catalog.models import Feature, FeatureProfile
from catalog.presentation import format_value
from catalog.search import FoundFeatures
from catalog.search.marking import marked, marked_words

_DESCRIPTION, _PARAGRAPH = 160, 1000


@dataclass(frozen=True)
class CardFacts:
    """What an app tells of one feature: how its last runs went, how much it is read."""

    strip: Markup | None = None
    reads: int | None = None
    is_late: bool = False


CardSource = Callable[[HttpRequest, Sequence[Feature]], Mapping[int, CardFacts]]
_sources: list[CardSource] = []


def register_card_facts(source: CardSource) -> None:
    """Let ``source`` tell of the features of a page, in a number of queries that does not grow with them."""
    if source not in _sources:
        _sources.append(source)


@dataclass(frozen=True)
class Card:
    """One result, what was searched for marked in it."""

    feature: Feature
    name: SafeString
    description: SafeString
    drawing: Markup | None = None
    is_closed: bool = False
    facts: CardFacts = field(default_factory=CardFacts)


def facts_of(request: HttpRequest, features: Sequence[Feature]) -> dict[int, CardFacts]:
    """What the apps tell of each of ``features``, put together."""
    load_contributions()
    facts: dict[int, CardFacts] = {}
    for source in _sources:
        for pk, told in source(request, features).items():
            known = facts.get(pk, CardFacts())
            facts[pk] = CardFacts(
                strip=told.strip or known.strip,
                reads=known.reads if told.reads is None else told.reads,
                is_late=told.is_late or known.is_late,
            )
    return facts


def cards_of(request: HttpRequest, features: Sequence[Feature], found: FoundFeatures | None = None) -> list[Card]:
    """A card for each of ``features`` (with their details), what ``found`` has found in them marked."""
    closed = closed_features(user=request.user, features=features)
    words = None if found is None else marked_words(found.hits)
    facts = facts_of(request, features)
    cards = []
    for feature in features:
        profile = None if feature.default_version is None else feature.default_version.latest_profile
        is_closed = feature.pk in closed
        cards.append(
            Card(
                feature=feature,
                name=marked(feature.name, words),
                description=marked(first_sentence(feature.description, longest=_PARAGRAPH), words, within=_DESCRIPTION),
                drawing=None if profile is None or is_closed else small_histogram(profile, name=feature.name),
                is_closed=is_closed,
                facts=facts.get(feature.pk, CardFacts()),
            )
        )
    return cards


def small_histogram(profile: FeatureProfile, *, name: str) -> Markup | None:
    """The distribution in the size of a word; of texts and truth values the most frequent ones; None without any."""
    edges, counts = profile.histogram.get("edges") or [], profile.histogram.get("counts") or []
    if not counts:
        tops = [int(one.get("count", 0)) for one in profile.top_values]
        if not tops:
            return None
        shown = ", ".join(format_value(one.get("value")) for one in profile.top_values[:3])
        return mini_histogram(
            edges=list(range(len(tops) + 1)),
            counts=tops,
            title=_("Most frequent values of %s") % name,
            description=_("Most frequent: %s.") % shown,
        )
    low, high = format_value(profile.min_value), format_value(profile.max_value)
    return mini_histogram(
        edges=edges,
        counts=counts,
        title=_("Distribution of %s") % name,
        description=_("From %(low)s to %(high)s.") % {"low": low, "high": high},
        mark=profile.mean_value,
    )
