"""The words of pages in the language of their reader, for modules that else know nothing of Django.

What is said is translated when it is said: a page speaks the language that its reader's browser asks for, and all else
(calls of the API, commands, tasks, logs) English, since only pages are given a language
(:class:`featurestore_site.middleware.PageLanguage`).
"""

from __future__ import annotations

from datetime import date

from django.utils import dateformat
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy, ngettext

__all__ = ["Promise", "gettext", "gettext_lazy", "month_name", "ngettext", "short_day"]


def month_name(day: date) -> str:
    """The month of ``day``: June."""
    return dateformat.format(day, "F")


def short_day(day: date) -> str:
    """Day and month, shortened: 01 Jun."""
    return dateformat.format(day, "d M")
