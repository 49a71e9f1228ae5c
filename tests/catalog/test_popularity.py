"""How much features are read, told by apps that are loaded when they are first asked."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser

from catalog import contributions, home_lists
from catalog.search import Criteria, find_features, popularity
from catalog.search.popularity import Popularity, ReadCount, register_reads


def tell_reads() -> None:
    register_reads(lambda: {7: ReadCount(total=5, week=4, week_before=1), 3: ReadCount(total=2)})


def test_an_app_that_nothing_has_loaded_yet_is_asked_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(popularity, "_sources", [])
    monkeypatch.setattr(contributions, "_announced", [f"{__name__}.tell_reads"])
    told = Popularity.read()
    assert (told.ids.tolist(), told.reads.tolist(), told.rising(9)) == ([3, 7], [2, 5], [7])


@pytest.mark.django_db
def test_the_lists_of_home_load_what_tells_of_use(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[bool] = []
    monkeypatch.setattr(home_lists, "load_contributions", lambda: loaded.append(True))
    nobody = AnonymousUser()
    home_lists.lists_for(nobody, every=find_features(user=nobody, criteria=Criteria()))
    assert loaded == [True]
