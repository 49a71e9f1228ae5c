"""Parts of catalog pages that the apps above the catalog contribute, so that the catalog imports none of them.

An app registers its panels in ``AppConfig.ready``; a page asks for those of a slot with what it is about.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString


class Slot(StrEnum):
    """Where on a page; in brackets what the page is about."""

    HOME_TILES = "home-tiles"  # (None) <div class="tile"> elements of the numbers
    HOME = "home"  # (None)
    FEATURE_QUALITY = "feature-quality"  # (FeatureVersion)
    FEATURE = "feature"  # (FeatureVersion)
    GROUP_ACTIONS = "group-actions"  # (FeatureGroup) forms and buttons beside the title
    GROUP = "group"  # (FeatureGroup)
    GROUP_ASIDE = "group-aside"  # (FeatureGroup)


@dataclass(frozen=True)
class Panel:
    """``context`` gives what the template needs, or None when the panel has nothing to say to this reader."""

    title: str
    template: str
    context: Callable[[HttpRequest, Any], dict[str, Any] | None]


@dataclass(frozen=True)
class RenderedPanel:
    title: str
    html: SafeString


_panels: dict[Slot, list[Panel]] = defaultdict(list)


def register(slot: Slot, panel: Panel) -> None:
    """Show ``panel`` in ``slot``, after those registered before it; the same one only once."""
    if panel not in _panels[slot]:
        _panels[slot].append(panel)


def panels_for(slot: Slot, *, request: HttpRequest, subject: Any = None) -> list[RenderedPanel]:
    """The panels of ``slot`` that have something to say about ``subject``, in the order of registration."""
    rendered = []
    for panel in _panels[slot]:
        context = panel.context(request, subject)
        if context is not None:
            html = render_to_string(panel.template, {**context, "subject": subject, "title": panel.title}, request)
            rendered.append(RenderedPanel(title=panel.title, html=html))
    return rendered
