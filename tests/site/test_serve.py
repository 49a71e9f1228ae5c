"""``manage.py serve`` and a database that does not fit."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from featurestore_site.management.commands import serve


class Ended(Exception):
    """Raised where the processes would start."""


class Starts:
    def __init__(self, *_: object, **__: object) -> None:
        raise Ended


@pytest.fixture(autouse=True)
def _nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "Supervisor", Starts)


def test_a_database_of_another_release_is_not_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "unapplied_migrations", lambda: ["catalog.0007_new", "serving.0009_new"])
    with pytest.raises(CommandError, match=r"lacks 2 migrations, from catalog\.0007_new on; run manage\.py migrate"):
        call_command("serve", port=0)


@pytest.mark.parametrize("answers", [True, False])
def test_what_fits_or_does_not_answer_yet_is(
    answers: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def found() -> list[str]:
        if answers:
            return []
        raise OperationalError("connection refused")

    monkeypatch.setattr(serve, "unapplied_migrations", found)
    with pytest.raises(Ended):
        call_command("serve", port=0)
    assert ("the database does not answer yet: connection refused" in capsys.readouterr().err) is not answers
