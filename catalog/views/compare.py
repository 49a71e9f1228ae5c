"""Up to four features side by side."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from catalog.cards import cards_of
from catalog.comparing import MOST_COMPARED, as_versions, compare, references_of
from catalog.disclosure import closed_features
from catalog.references import resolve_references
from catalog.views.access import page


@require_safe
@page()
def compare_features(request: HttpRequest) -> HttpResponse:
    """``?f=`` names each feature by a reference; the columns are in that order."""
    references = references_of(request.GET)
    resolved = resolve_references(references, user=request.user) if references else []
    features = as_versions([one.version for one in resolved], user=request.user)
    cards = cards_of(request, features)
    columns = [
        (card, "?" + urlencode([("f", text) for text in references if text != reference]))
        for card, reference in zip(cards, references, strict=True)
    ]
    context = {
        "columns": columns,
        "parts": compare(features, closed=closed_features(user=request.user, features=features)) if features else [],
        "names": [feature.name for feature in features],
        "most": MOST_COMPARED,
        "json_url": f"/api/v1/metadata/compare?{request.GET.urlencode()}" if references else "",
    }
    return render(request, "catalog/compare.html", context)
