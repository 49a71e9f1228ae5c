"""Panels that apps above the catalog add to its pages."""

from __future__ import annotations

import pytest
from django.test import RequestFactory

from catalog.contributions import load_contributions
from catalog.panels import Panel, Slot, panels_for, register


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    load_contributions()  # they belong to the other pages
    monkeypatch.setattr("catalog.panels._panels", {slot: [] for slot in Slot})


def test_panels_show_in_order_once_and_only_with_something_to_say() -> None:
    template = "catalog/components/empty.html"
    first = Panel("first", template, lambda _, subject: {"reason": f"about {subject}"})
    silent = Panel("silent", template, lambda *_: None)
    for panel in (first, silent, first):
        register(Slot.FEATURE, panel)

    shown = panels_for(Slot.FEATURE, request=RequestFactory().get("/"), subject="<x>")

    assert [panel.title for panel in shown] == ["first"]
    assert "about &lt;x&gt;" in shown[0].html
    assert panels_for(Slot.GROUP, request=RequestFactory().get("/")) == []
