"""Template tags for numbers, spans and instants; the texts are made in :mod:`catalog.presentation`.

What is missing in a template is an empty text, and is shown as a dash.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from catalog import presentation
from catalog.clock import now
from catalog.markdown import first_sentence, rendered
from catalog.terms import word_of

register = template.Library()


@register.filter
def number(value: object) -> str:
    """A number with its thousands apart."""
    return presentation.format_number(value if isinstance(value, (int, float)) else None)


@register.filter
def shown_value(value: Any) -> str:
    """A JSON value of any feature type in one short line."""
    return presentation.format_value(value)


@register.filter
def share(value: object) -> str:
    """A share of one in percent."""
    return presentation.format_share(value if isinstance(value, (int, float)) else None)


@register.filter
def null_share(profile: object) -> str:
    """The share of entities without a value in a profile, in percent."""
    rows, nulls = getattr(profile, "row_count", 0), getattr(profile, "null_count", 0)
    return presentation.format_share(nulls / rows if rows else None)


@register.filter
def byte_size(value: object) -> str:
    """A number of bytes."""
    return presentation.format_bytes(value if isinstance(value, int) else None)


@register.filter
def span(value: object) -> str:
    """A time span, or a number of seconds, in words."""
    length = timedelta(seconds=value) if isinstance(value, (int, float)) else value
    return presentation.format_span(length if isinstance(length, timedelta) else None)


@register.filter
def short_span(value: object) -> str:
    """A time span in its largest unit."""
    return presentation.format_span(value if isinstance(value, timedelta) else None, units=1)


@register.filter
def words(value: str) -> str:
    """A name of the code as words: ``input_tables`` → input tables, ``row:open_first`` → row: open first."""
    return str(value).replace("_", " ").replace(":", ": ")


@register.filter
def term(value: object) -> str:
    """A code of the catalog as a word of the reader's language; what is none of its codes stays as it is."""
    return word_of(str(value))


@register.filter
def markdown(value: object) -> SafeString:
    """What a person wrote in Markdown, as safe HTML."""
    return rendered(str(value or ""))


@register.filter
def lead(value: object) -> str:
    """The first sentence of a Markdown text, without its marks."""
    return first_sentence(str(value or ""))


@register.simple_tag
def age(instant: datetime | None) -> SafeString:
    """How long ago an instant was, with the instant itself as its machine-readable form and hint."""
    if instant is None:
        return format_html('<span class="muted">{}</span>', _("never"))
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        instant.isoformat(),
        presentation.format_instant(instant),
        presentation.format_age(instant, at=now()),
    )


@register.simple_tag
def at(instant: datetime | None) -> SafeString:
    """An instant, to the second, UTC."""
    if instant is None:
        return format_html('<span class="muted">{}</span>', presentation.NONE)
    return format_html(
        '<time class="nowrap" datetime="{}">{}</time>', instant.isoformat(), presentation.format_instant(instant)
    )
