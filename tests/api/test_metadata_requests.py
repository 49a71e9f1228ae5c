"""What became of a request is told without naming a feature that the one who asked may no longer know of."""

from __future__ import annotations

import pytest

from catalog.access import Role
from catalog.feature_requests import answer_request, ask_for_feature
from catalog.models import Feature, Status
from catalog.models.feature_request import RequestState
from tests import stocked_store as store
from tests.pages.filled import signed_in

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("status", "role", "told"),
    [
        (Status.ACTIVE, Role.VIEWER, "finance:balance"),
        (Status.ARCHIVED, Role.VIEWER, None),
        (Status.ARCHIVED, Role.STEWARD, "finance:balance"),
    ],
)
def test_the_feature_that_fulfils_it(status: Status, role: Role, told: str | None) -> None:
    feature = store.make_feature(store.make_group("finance"), "balance").feature
    user, steward = store.make_user("asker", role), store.make_user("stella", Role.STEWARD)
    asked = ask_for_feature(user=user, wanted="money")
    answer_request(request=asked, answerer=steward, state=RequestState.FULFILLED, answer="Here.", feature=feature)
    Feature.objects.filter(pk=feature.pk).update(status=status)
    client = signed_in(user)

    page = client.get("/me/").content.decode()

    assert client.get("/api/v1/metadata/requests").json()["results"][0]["feature"] == told
    assert client.get("/api/v1/metadata/me").json()["requests"][0]["feature"] == told
    assert "Here." in page
    assert ('href="/features/balance/?group=finance"' in page) == (told is not None)
