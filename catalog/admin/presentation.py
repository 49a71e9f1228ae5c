"""How the admin shows and takes values: JSON indented, durations as in the configuration, links to the pages."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import cache
from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from catalog.durations import format_duration, parse_duration

NOTHING = "–"


def shown_json(value: Any) -> SafeString | str:
    """``value`` as indented JSON; a dash for nothing."""
    if value in (None, "", [], {}):
        return NOTHING
    return format_html('<pre class="stored">{}</pre>', json.dumps(value, indent=2, ensure_ascii=False, default=str))


@cache
def json_of(name: str) -> Any:  # the stubs of Django know only names, where callables are taken too
    """A read-only admin field that shows the JSON field ``name`` readably; always the same one for a name."""

    @admin.display(description=name.replace("_", " "))
    def shown(obj: Any) -> SafeString | str:
        return shown_json(getattr(obj, name))

    return shown


@cache
def text_of(name: str) -> Any:
    """A read-only admin field that shows the text ``name`` with its line breaks; always the same one for a name."""

    @admin.display(description=name.replace("_", " "))
    def shown(obj: Any) -> SafeString | str:
        value = getattr(obj, name)
        return format_html('<pre class="stored">{}</pre>', value) if value else NOTHING

    return shown


def page_of(route: str, *args: Any) -> str | None:
    """The address of a page of the catalog; None where the site has no such page."""
    try:
        return reverse(route, args=args)
    except NoReverseMatch:
        return None


class JSONText(forms.JSONField):
    """JSON that is edited indented; an emptied field gets the model's default back."""

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values and callable(self.initial):
            return self.initial()
        return super().to_python(value)

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, forms.fields.InvalidJSONInput):
            return value
        return json.dumps(value, indent=2, ensure_ascii=False, cls=self.encoder)


class DurationText(forms.DurationField):
    """A time span written as in the configuration: ``15m``, ``24h``, ``30d``."""

    def prepare_value(self, value: Any) -> Any:
        return format_duration(value) if isinstance(value, timedelta) else value

    def to_python(self, value: Any) -> timedelta | None:
        if value in self.empty_values:
            return None
        if isinstance(value, timedelta):
            return value
        try:
            return parse_duration(str(value))
        except ValueError as error:
            raise forms.ValidationError(str(error), code="invalid") from error


EDITED_FIELDS: dict[type[models.Field[Any, Any]], dict[str, Any]] = {
    models.JSONField: {
        "form_class": JSONText,
        "show_hidden_initial": False,
        "widget": forms.Textarea(attrs={"rows": 6, "cols": 80, "class": "stored", "spellcheck": "false"}),
    },
    models.DurationField: {
        "form_class": DurationText,
        "widget": forms.TextInput(attrs={"placeholder": "24h, 30d", "class": "vTextField"}),
    },
}
