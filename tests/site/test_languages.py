"""The languages that pages are offered in, and what a translator is given."""

from __future__ import annotations

import inspect
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from catalog import errors
from catalog.errors import ConfigurationError, FeatureStoreError
from featurestore_site.languages import languages_of
from serving.error_meanings import error_meanings
from tests.installation import PROJECT


def compile_into(folder: Path, language: str) -> None:
    compiled = folder / language / "LC_MESSAGES" / "django.mo"
    compiled.parent.mkdir(parents=True)
    compiled.touch()


def test_english_is_there_without_a_translation(tmp_path: Path) -> None:
    assert languages_of(tmp_path / "none", own="en") == [("en", "English")]


def test_every_compiled_translation_is_offered_by_its_own_name(tmp_path: Path) -> None:
    for language in ("pt_BR", "de", "qq"):
        compile_into(tmp_path, language)
    (tmp_path / "fr" / "LC_MESSAGES").mkdir(parents=True)  # nothing is compiled in it

    assert languages_of(tmp_path, own="en") == [
        ("en", "English"),
        ("de", "Deutsch"),
        ("pt-br", "Português Brasileiro"),
        ("qq", "qq"),
    ]


def test_the_meaning_of_every_error_is_that_of_its_class() -> None:
    family = {
        kind.code: (kind.status, (inspect.getdoc(kind) or "").split(";")[0].rstrip(".") + ".")
        for kind in vars(errors).values()
        if inspect.isclass(kind)
        and issubclass(kind, FeatureStoreError)
        and kind not in (FeatureStoreError, ConfigurationError)
    }
    told = {code: (status, meaning) for status, code, meaning in error_meanings()}
    assert {code: told[code] for code in family} == family
    assert told.keys() - family.keys() == {
        "method_not_allowed",
        "not_acceptable",
        "unsupported_media_type",
        "throttled",
        "server_error",
    }


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("xgettext") is None, reason="needs GNU gettext, as translators do")
def test_a_translator_is_given_every_message(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # The command writes beside the templates while it reads them, so it is given a copy.
    for name in ("catalog", "serving", "ingestion", "featurestore_site", "templates"):
        shutil.copytree(PROJECT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    settings.LOCALE_PATHS = [tmp_path / "locale"]
    monkeypatch.chdir(tmp_path)

    call_command("makemessages", locale=["de"], verbosity=0)

    made = tmp_path / "locale" / "de" / "LC_MESSAGES" / "django.po"
    messages = made.read_text(encoding="utf-8")
    for message in (
        "Fit for use",  # said by a module that computes
        "newest value %(age)s, within the promised %(promised)s",
        "%(count)s day ago",
        "Rows kept out",  # of a template
        "No training dataset fits",  # the argument of an included one
        "carrying into the online store",  # a choice of a model
    ):
        assert f'msgid "{message}"' in messages
    subprocess.run(["msgfmt", "--check", "--output-file", str(tmp_path / "de.mo"), str(made)], check=True)
