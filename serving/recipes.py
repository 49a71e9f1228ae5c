"""Calls of the API to copy, each with what it needs (pure: no Django but for the words)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from shlex import quote

from catalog.wording import gettext as _

READ, WRITE = "read", "write"


@dataclass(frozen=True)
class Recipe:
    """``scope`` is what the token must have, ``capability`` what the role must give; ``id`` is unique on a page."""

    id: str
    title: str
    scope: str
    capability: str
    code: str


def recipes(*, base_url: str, feature: str, entity_key: dict[str, str], day: date) -> list[Recipe]:
    """The usual calls, with the reader's address, one feature of theirs and a day to ask for; ``entity_key`` by join
    key.
    """
    store = f"{base_url}/api/v1"
    name = feature.rpartition(":")[2]
    entity = {"entity_id": next(iter(entity_key.values()))} if len(entity_key) == 1 else entity_key
    row = {**entity, "event_timestamp": f"{day.isoformat()}T00:00:00Z"}
    search = quote(f"{store}/metadata/features/search?q={name}")
    note = {"feature": feature, "text": "Checked against the ledger."}
    return [
        Recipe("find", _("Find features by words"), READ, "see_metadata", _get(search)),
        Recipe(
            "tell", _("All about one feature, with its trust line"), READ, "see_metadata",
            _get(quote(f"{store}/metadata/features/{feature}")),
        ),
        Recipe(
            "batch", _("Values of one entity, now"), READ, "read_values",
            _post(f"{store}/features/batch", {**entity, "features": [feature]}),
        ),
        Recipe(
            "historical", _("Values as of a time, for training"), READ, "read_values",
            _post(f"{store}/features/historical", {"entity_df": [row], "features": [feature]}),
        ),
        Recipe("follow", _("Follow a feature"), WRITE, "see_metadata",
               f"curl -s -X PUT {_TOKEN} {quote(f'{store}/metadata/features/{feature}/follow')}"),
        Recipe("note", _("Write into the journal"), WRITE, "write_journal", _post(f"{store}/metadata/journal", note)),
        Recipe("refresh", _("Start an ingestion"), WRITE, "run_ingestion", _post(f"{store}/refresh", {})),
    ]  # fmt: skip


_TOKEN = '-H "Authorization: Token $FEATURESTORE_TOKEN"'


def _get(address: str) -> str:
    return f"curl -s {_TOKEN} \\\n  {address}"


def _post(address: str, body: object) -> str:
    sent = quote(json.dumps(body))
    return f"curl -s {quote(address)} \\\n  {_TOKEN} \\\n  -H 'Content-Type: application/json' \\\n  -d {sent}"
