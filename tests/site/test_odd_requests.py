"""Characters that a database or a message cannot take: a refusal that says why, never a failure of the store."""

from __future__ import annotations

import pytest
from django.test import Client

from catalog.access import Role
from catalog.models import FeatureRequest, JournalEntry, SavedView
from tests import stocked_store as store
from tests.pages.filled import fill, signed_in

pytestmark = pytest.mark.django_db

NUL = "a\0b"


@pytest.fixture
def steward() -> Client:
    fill()
    return signed_in(store.make_user("stella", Role.STEWARD))


@pytest.mark.parametrize(
    ("address", "parameter"),
    [
        ("metadata/journal", "kind"),
        ("metadata/journal", "open"),
        ("metadata/features", "status"),
        ("metadata/features", "fresh"),
        ("runs", "state"),
        ("runs", "kind"),
        ("reports", "passed"),
    ],
)
@pytest.mark.parametrize("word", ["%", "%s", "100%(x)s"])
def test_a_percent_sign_is_a_word_like_others(steward: Client, address: str, parameter: str, word: str) -> None:
    answer = steward.get(f"/api/v1/{address}", {parameter: word})

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid_input"
    assert word in str(answer.json()["error"])


@pytest.mark.parametrize(
    ("address", "parameters", "status"),
    [
        ("metadata/features", {"view": NUL}, 404),
        ("metadata/features/search", {"view": NUL}, 404),
        ("metadata/lineage", {"feature": NUL}, 400),
        ("metadata/lineage", {"node": f"feature:{NUL}"}, 400),
        ("metadata/lineage/openlineage", {"feature": NUL}, 400),
        ("entities/customer", {"customer_id": "1", "purpose": NUL}, 400),
    ],
)
def test_a_null_character_is_not_looked_for(
    steward: Client, address: str, parameters: dict[str, str], status: int
) -> None:
    assert steward.get(f"/api/v1/{address}", parameters).status_code == status


def test_no_view_has_a_null_character_in_its_address(steward: Client) -> None:
    assert steward.delete("/api/v1/metadata/views/a%00b").status_code == 404


@pytest.mark.parametrize(
    ("address", "form"),
    [
        ("/features/finance_f0/journal", {"text": NUL, "group": "finance"}),
        ("/search/views/save", {"name": NUL, "query": "q=x"}),
        ("/search/ask", {"wanted": "a feature", "reason": NUL}),
    ],
)
def test_a_form_with_a_null_character_is_refused(steward: Client, address: str, form: dict[str, str]) -> None:
    answer = steward.post(address, form)

    assert answer.status_code == 400
    assert not JournalEntry.objects.exists()
    assert not SavedView.objects.exists()
    assert not FeatureRequest.objects.exists()
