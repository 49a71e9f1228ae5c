"""Every page in a language that puts each message into brackets: what stands outside them was never translated."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils.translation import get_language

from catalog.access import Role
from catalog.journal import write_entry
from catalog.models import Feature, FeatureGroup, FeatureVersion
from ingestion.models import IngestionRun, RunState
from tests import stocked_store as store
from tests.datasets_made import add, day, made, stocked_group
from tests.pages.filled import add_run, fill, signed_in
from tests.pages.pseudo_language import CLOSE, CODE, OPEN, speak, untranslated
from tests.pages.test_every_address import ROUTES, address_of
from tests.pages.test_every_page import PAGES

pytestmark = pytest.mark.django_db

EMPTY = (
    "/",
    "/search",
    "/groups/",
    "/services/",
    "/lineage/",
    "/quality/",
    "/runs/",
    "/datasets/",
    "/entities/",
    "/me/",
)

# What is data, and so is shown as it is, in every language.
DATA = frozenset(
    {
        # names, of the store and of what it holds
        "Feature Store",
        "finance",
        "warehouse",
        "customer",
        "customer_id",
        "risk team",
        "money",
        "model",
        "writer",
        "system",
        "stella",
        # what people wrote
        "Money of customers",
        "A note.",
        # stored by a run, for the API as for pages
        "above 80 (up to 90.25): 200 of 1000 rows",
        "validity 80% is below 90%",
        "copied",
        "c-7",
        "secret-177",
        "secret-177 is no number",
        # types, statuses and scopes as programs write them
        "float",
        "read",
        "write",
        "PRESENT",
        # languages, formats and tools
        "Python",
        "SQL",
        "curl",
        "JSON",
        "SVG",
        "OpenAPI",
        "OpenLineage",
        "UTC",
    }
)
# Codes have underscores, ids and versions digits; paths, addresses and units are the same everywhere.
SHAPES = re.compile(r"https?://\S+|\S*/\S+|\b\w*_\w+\b|\b[0-9a-f]{8,64}\b|\bv?\d[\w.:-]*|\b(?:KiB|MiB|GiB|B|s|min)\b")


LIBRARIES = ("feature-store", "duckdb", "pyarrow", "deltalake")
# Names of parameters and tokens, as an error names them.
PARAMETERS = ("fresh:boom", "status:boom", "tagg:boom", "State", "status")


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> Client:
    """A steward who may open the administration, with a browser that asks for brackets."""
    speak(monkeypatch, settings, tmp_path)
    user = store.make_user("stella", Role.STEWARD)
    user.is_staff = True
    user.save()
    client = signed_in(user)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = f"{CODE}, en;q=0.5"
    return client


def catalog() -> FeatureGroup:
    group = fill()
    write_entry(subject=group, text="A note.", writer=store.make_user("writer", Role.STEWARD))
    return group


def said_in_english(
    client: Client, address: str, *, data: frozenset[str] = frozenset(), form: dict[str, Any] | None = None
) -> list[str]:
    """What the page at ``address`` says in English, asked for or, with a ``form``, sent to and followed."""
    answer = client.get(address) if form is None else client.post(address, form, follow=True)
    if not answer.headers.get("Content-Type", "").startswith("text/html"):
        return []
    html = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return list(dict.fromkeys(untranslated(html.decode(), data=DATA | data, shapes=SHAPES)))


@pytest.mark.parametrize("page", PAGES)
def test_a_page_says_nothing_in_english(page: str, reader: Client) -> None:
    catalog()
    run = IngestionRun.objects.earliest("created_at").pk
    english = said_in_english(reader, page.format(run=run))
    assert not english, "\n".join(english)


@pytest.mark.parametrize("route", ROUTES)
def test_no_address_answers_in_english(route: str, reader: Client) -> None:
    catalog()
    english = said_in_english(reader, address_of(route, ROUTES[route]))
    assert not english, "\n".join(english)


@pytest.mark.parametrize(
    "page",
    ["/", "/search", "/groups/", "/services/", "/lineage/", "/quality/", "/runs/", "/datasets/", "/entities/", "/me/"],
)
def test_an_empty_store_says_why_in_the_language_of_the_reader(page: str, reader: Client) -> None:
    english = said_in_english(reader, page)
    assert not english, "\n".join(english)


@pytest.mark.parametrize("state", list(RunState))
def test_a_run_in_every_state(state: RunState, reader: Client) -> None:
    group = catalog()
    run = add_run(
        group, state=state, error="boom", log="boom", problems=[{"code": "c_c", "message": "boom", "rule": "type"}]
    )
    for page in (f"/runs/{run.pk}/", "/runs/?group=nothing", "/runs/", "/groups/finance/", "/quality/", "/"):
        english = said_in_english(reader, page, data=frozenset({"boom", "nothing"}))
        assert not english, "\n".join(english)


def test_a_feature_that_is_deprecated_late_and_without_values(reader: Client) -> None:
    group = catalog()
    FeatureGroup.objects.update(freshness=timedelta(hours=1), max_age=timedelta(days=2), sensitivity="personal")
    Feature.objects.filter(name="finance_f0").update(status="deprecated", status_reason="boom", tier="certified")
    FeatureVersion.objects.filter(feature__name="finance_f1").update(
        source_problem="boom", validation={"min_value": 0, "nullable": False, "unique": True, "severity": "warn"}
    )
    write_entry(subject=group, text="boom", kind="incident", writer=User.objects.get(username="writer"))
    for page in (
        "/",
        "/features/finance_f0/",
        "/features/finance_f1/",
        "/groups/finance/",
        "/search?status=deprecated&sensitivity=personal",
        "/compare?f=finance_f0&f=finance_f1",
        "/services/finance_model/",
        "/lineage/?feature=finance_f1",
    ):
        english = said_in_english(reader, page, data=frozenset({"boom"}))
        assert not english, "\n".join(english)


def test_the_value_of_an_entity(reader: Client) -> None:
    group = stocked_group()
    add(group, "1", 5, created=day(6), balance=55.0)
    names = frozenset({"balance", "visits", "run"})  # who wrote its history calls itself so
    for page in (
        "/features/balance/entity/",
        "/features/balance/entity/?key=1&at=2025-01-05",
        "/features/balance/entity/?key=1&as_known_at=2025-01-03",
        "/features/balance/entity/?key=404",
        "/entities/customer/",
        "/entities/customer/?key=1",
        "/entities/customer/?key=1&purpose=support",
        "/entities/customer/?key=1&purpose=support&at=2025-01-04",
    ):
        english = said_in_english(reader, page, data=names | {"support"})
        assert not english, "\n".join(english)


def test_training_datasets(reader: Client) -> None:
    stocked_group()
    user = store.make_user("sara", Role.DATA_SCIENTIST)
    built = made(user)
    names = frozenset({"balance", "churn training", "sara", "churned", "visits", "version", "integer", *LIBRARIES})
    for page in ("/datasets/", "/datasets/?q=other", f"/datasets/{built.pk}/"):
        english = said_in_english(reader, page, data=names | {"other"})
        assert not english, "\n".join(english)


def test_the_pages_say_in_which_language_they_are(reader: Client) -> None:
    catalog()
    answer = reader.get("/")
    assert f'<html lang="{CODE}">' in answer.content.decode()
    assert (answer["Content-Language"], "Accept-Language" in answer["Vary"]) == (CODE, True)

    plain = reader.get("/", headers={"accept-language": "fr"})
    assert '<html lang="en">' in plain.content.decode()
    assert plain["Content-Language"] == "en"
    assert OPEN not in plain.content.decode()


def test_the_language_ends_with_the_page(reader: Client) -> None:
    reader.get("/")
    assert get_language() == "en"


@pytest.mark.parametrize(
    "address", ["metadata/features", "metadata/features/finance_f0", "metadata/features/none_such"]
)
def test_programs_are_answered_in_english(address: str, reader: Client) -> None:
    catalog()
    answer = reader.get(f"/api/v1/{address}")
    assert CLOSE not in answer.content.decode()
    assert "Content-Language" not in answer.headers


@pytest.mark.parametrize(
    "page",
    [
        "/features/finance_f9/",
        "/features/finance_f0/?version=9",
        "/features/finance_f0/?group=other",
        "/features/finance_f0/entity/?key=1&at=yesterday",
        "/groups/none_such/",
        "/services/none_such/",
        "/lineage/?feature=none_such",
        "/lineage/?feature=finance_f0&only=boom",
        "/lineage/?node=boom",
        "/quality/?only=boom",
        "/search?q=tagg:boom",
        "/search?q=status:boom",
        "/search?q=fresh:boom",
        "/search?status=boom",
        "/compare?f=a&f=b&f=c&f=d&f=e",
        "/runs/?state=boom",
        "/runs/compare/?run=1",
        "/no/such/page",
        "/features/a%00b/",
    ],
)
def test_what_is_wrong_is_told_in_the_language_of_the_reader(page: str, reader: Client) -> None:
    catalog()
    english = said_in_english(reader, page, data=frozenset({"boom", "other", "yesterday", *PARAMETERS}))
    assert not english, "\n".join(english)


def test_signing_in(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> None:
    speak(monkeypatch, settings, tmp_path)
    stranger = Client(headers={"accept-language": CODE})
    wrong = {"username": "nobody", "password": "wrong"}
    for form in (None, {"username": ""}, wrong):
        english = said_in_english(stranger, "/login", form=form)
        assert not english, "\n".join(english)


def test_an_account_that_may_not(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> None:
    speak(monkeypatch, settings, tmp_path)
    stranger = signed_in(store.make_user("stig"))
    stranger.defaults["HTTP_ACCEPT_LANGUAGE"] = CODE
    english = said_in_english(stranger, "/groups/", data=frozenset({"stig"}))
    assert not english, "\n".join(english)


@pytest.mark.parametrize(
    ("address", "form"),
    [
        ("/me/tokens/", {"name": "churn", "scopes": ["read"], "last_day": ""}),
        ("/me/tokens/", {"name": "", "scopes": ["boom"], "last_day": "boom"}),
        ("/me/tokens/", {"name": "churn", "scopes": ["read"], "last_day": "2001-01-01"}),
        ("/features/finance_f0/journal", {"text": "", "kind": "boom"}),
        ("/search/views/save", {"name": "", "query": ""}),
        ("/search/ask", {"wanted": ""}),
        ("/services/make", {"name": "No name"}),
        ("/groups/finance/runs", {"kind": "ingest"}),
        ("/groups/finance/runs", {"kind": "boom"}),
    ],
)
def test_what_a_form_answers(address: str, form: dict[str, Any], reader: Client) -> None:
    catalog()
    given = frozenset({"churn", "boom", "No name", "Key begins"})
    english = said_in_english(reader, address, data=given, form=form)
    assert not english, "\n".join(english)
