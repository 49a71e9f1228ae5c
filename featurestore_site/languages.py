"""The languages that pages are there in: English, and those that the folder of translations holds."""

from __future__ import annotations

from pathlib import Path

from django.conf.locale import LANG_INFO
from django.utils.translation import to_language


def languages_of(folder: Path, *, own: str) -> list[tuple[str, str]]:
    """Code and own name of ``own`` and of every language with a compiled translation in ``folder``, by code."""
    found = {to_language(compiled.parents[1].name) for compiled in folder.glob("*/LC_MESSAGES/django.mo")}
    return [(code, str(LANG_INFO.get(code, {}).get("name_local", code))) for code in (own, *sorted(found - {own}))]
