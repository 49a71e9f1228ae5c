"""Parts of catalog pages that the apps above the catalog contribute, so that the catalog imports none of them.

An app registers its panels in ``AppConfig.ready``; a page asks for those of a slot with what it is about.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from catalog.contributions import load_contributions
from catalog.wording import Promise


class Slot(StrEnum):
    """Where on a page; in brackets what the page is about."""

    FIRST_STEPS = "first-steps"  # (None) what is still to do in a new store
    HOME_TILES = "home-tiles"  # (None) <div class="tile"> elements of the numbers
    HOME = "home"  # (None)
    OWN = "own"  # (None) of the person who asks
    FEATURE_QUALITY = "feature-quality"  # (FeatureVersion)
    FEATURE = "feature"  # (FeatureVersion)
    GROUP_ACTIONS = "group-actions"  # (FeatureGroup) forms and buttons beside the title
    GROUP = "group"  # (FeatureGroup)
    GROUP_ASIDE = "group-aside"  # (FeatureGroup)


@dataclass(frozen=True)
class Panel:
    """``context`` gives what the template needs, or None when the panel has nothing to say to this reader.

    ``twin`` gives the address of the same in the API, from what the page is about; a panel that is only a form, or of
    which the call of the page itself tells, has none.
    """

    title: str | Promise
    template: str
    context: Callable[[HttpRequest, Any], dict[str, Any] | None]
    twin: Callable[[Any], str] | None = None


@dataclass(frozen=True)
class RenderedPanel:
    title: str
    html: SafeString
    json_url: str = ""


_panels: dict[Slot, list[Panel]] = defaultdict(list)


def register(slot: Slot, panel: Panel) -> None:
    """Show ``panel`` in ``slot``, after those registered before it; the same one only once."""
    if panel not in _panels[slot]:
        _panels[slot].append(panel)


def panels_for(slot: Slot, *, request: HttpRequest, subject: Any = None) -> list[RenderedPanel]:
    """The panels of ``slot`` that have something to say about ``subject``, in the order of registration."""
    load_contributions()
    rendered = []
    for panel in _panels[slot]:
        context = panel.context(request, subject)
        if context is not None:
            title = str(panel.title)
            html = render_to_string(panel.template, {**context, "subject": subject, "title": title}, request)
            json_url = "" if panel.twin is None else panel.twin(subject)
            rendered.append(RenderedPanel(title=title, html=html, json_url=json_url))
    return rendered


def twins_of(*rendered: Iterable[RenderedPanel]) -> list[tuple[str, str]]:
    """The title and address of what the API tells of ``rendered`` panels, where it is a call of its own."""
    return [(panel.title, panel.json_url) for panels in rendered for panel in panels if panel.json_url]
