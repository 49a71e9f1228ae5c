"""Code to copy for one feature or one feature service, with the reader's own address (pure: no Django)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from keyword import iskeyword
from shlex import quote

from catalog.wording import gettext as _

ONLINE_TABLE = "serving_featurevalue"
GROUP_TABLE = "catalog_featuregroup"
_EXAMPLE_KEY = "15634602"


@dataclass(frozen=True)
class Snippet:
    """``id`` is unique on a page."""

    id: str
    title: str
    code: str


@dataclass(frozen=True)
class FeatureUse:
    """What the snippets of a feature need to know; ``example_key`` gives one value per join key, as text."""

    base_url: str
    name: str
    group: str
    version: str
    value_column: str
    join_keys: tuple[str, ...]
    example_key: tuple[str, ...] = ()
    is_ambiguous: bool = False

    @property
    def reference(self) -> str:
        """The pinned reference; with the group where the name alone could mean several."""
        return f"{self.group}:{self.name}@{self.version}" if self.is_ambiguous else f"{self.name}@{self.version}"

    @property
    def keys(self) -> dict[str, str]:
        """An example value per join key."""
        given = self.example_key or tuple(_EXAMPLE_KEY if len(self.join_keys) == 1 else "1" for _ in self.join_keys)
        return dict(zip(self.join_keys, given, strict=False))


def feature_snippets(use: FeatureUse, *, database: str = "sqlite") -> list[Snippet]:
    """Python, curl, a training set and SQL, in that order; ``database`` is sqlite, postgresql or mysql."""
    return [
        Snippet("use-python", "Python", _python(use)),
        Snippet("use-curl", "curl", _curl(use)),
        Snippet("use-training", _("Training set (Python)"), _training(use.base_url, use.keys, [use.reference])),
        Snippet("use-sql", _("SQL (online store)"), online_sql(use, database=database)),
    ]


def service_snippets(*, base_url: str, service: str, join_keys: Sequence[str]) -> list[Snippet]:
    """Python, curl and a training set for all pinned versions of a feature service."""
    keys = {key: _EXAMPLE_KEY if len(join_keys) == 1 else "1" for key in join_keys}
    one = "entity_id=" + _text(_EXAMPLE_KEY) if len(keys) == 1 else _arguments(keys)
    python = f"{_connect(base_url)}\nvector = client.get_features({one}, service={_text(service)})\nvector.to_dict()"
    entity = {"entity_id": _EXAMPLE_KEY} if len(keys) == 1 else keys
    body = json.dumps({**entity, "service": service})
    curl = (
        f"curl -s {quote(base_url + '/api/v1/features/batch')} \\\n"
        '  -H "Authorization: Token $FEATURESTORE_TOKEN" \\\n'
        f"  -H 'Content-Type: application/json' \\\n  -d {quote(body)}"
    )
    return [
        Snippet("use-python", "Python", python),
        Snippet("use-curl", "curl", curl),
        Snippet("use-training", _("Training set (Python)"), _training(base_url, keys, None, service=service)),
    ]


def selection_snippets(*, base_url: str, references: Sequence[str], join_keys: Sequence[str]) -> list[Snippet]:
    """Python, curl and a training set for several pinned features of one entity."""
    keys = {key: _EXAMPLE_KEY if len(join_keys) == 1 else "1" for key in join_keys}
    one = "entity_id=" + _text(_EXAMPLE_KEY) if len(keys) == 1 else _arguments(keys)
    named = json.dumps(list(references), indent=4)
    python = f"{_connect(base_url)}\nfeatures = {named}\nvector = client.get_features({one}, feature_names=features)\n"
    entity = {"entity_id": _EXAMPLE_KEY} if len(keys) == 1 else keys
    body = json.dumps({**entity, "features": list(references)})
    curl = (
        f"curl -s {quote(base_url + '/api/v1/features/batch')} \\\n"
        '  -H "Authorization: Token $FEATURESTORE_TOKEN" \\\n'
        f"  -H 'Content-Type: application/json' \\\n  -d {quote(body)}"
    )
    return [
        Snippet("use-python", "Python", f"{python}vector.to_dict()"),
        Snippet("use-curl", "curl", curl),
        Snippet("use-training", _("Training set (Python)"), _training(base_url, keys, list(references))),
    ]


def online_sql(use: FeatureUse, *, database: str) -> str:
    """The newest value of every entity, straight from the table of the online store."""
    column = use.value_column
    if database == "postgresql":
        value, instant = f"v.\"values\" -> '{column}'", "to_timestamp(v.event_timestamp / 1e6)"
    elif database == "mysql":
        value, instant = f"JSON_EXTRACT(v.`values`, '$.{column}')", "FROM_UNIXTIME(v.event_timestamp / 1e6)"
    else:
        value = f"json_extract(v.\"values\", '$.{column}')"
        instant = "datetime(v.event_timestamp / 1000000, 'unixepoch')"
    return (
        f"SELECT v.entity_key,\n       {value} AS {use.name},\n       {instant} AS event_timestamp\n"
        f"FROM {ONLINE_TABLE} AS v\nJOIN {GROUP_TABLE} AS g ON g.id = v.group_id\n"
        f"WHERE g.name = '{use.group}'\nLIMIT 10;"
    )


def _connect(base_url: str) -> str:
    return (
        "from feature_store_client import FeatureStoreClient\n\n"
        "# The token is read from FEATURESTORE_TOKEN.\n"
        f"client = FeatureStoreClient({_text(base_url)})"
    )


def _python(use: FeatureUse) -> str:
    which = f"version={_text(use.version)}"
    if use.is_ambiguous:
        name, which = use.reference, ""
    else:
        name = use.name
    keys = use.keys
    entity = f"entity_id={_text(next(iter(keys.values())))}" if len(keys) == 1 else _arguments(keys)
    arguments = ", ".join(part for part in (_text(name), entity, which) if part)
    return f"{_connect(use.base_url)}\nvalue = client.get_feature({arguments})\nvalue.value, value.status"


def _curl(use: FeatureUse) -> str:
    token = '-H "Authorization: Token $FEATURESTORE_TOKEN"'
    if len(use.join_keys) == 1 and not use.is_ambiguous:
        address = f"{use.base_url}/api/v1/features/{use.name}/entity/{next(iter(use.keys.values()))}"
        return f"curl -s {token} \\\n  {quote(f'{address}?version={use.version}')}"
    entity = {"entity_id": next(iter(use.keys.values()))} if len(use.join_keys) == 1 else use.keys
    body = json.dumps({**entity, "features": [use.reference]})
    address = quote(f"{use.base_url}/api/v1/features/batch")
    return f"curl -s {address} \\\n  {token} \\\n  -H 'Content-Type: application/json' \\\n  -d {quote(body)}"


def _training(base_url: str, keys: dict[str, str], references: list[str] | None, *, service: str = "") -> str:
    named = {"entity_id": next(iter(keys.values()))} if len(keys) == 1 else keys
    columns = "\n".join(f"    {_text(key)}: [{_text(value)}]," for key, value in named.items())
    chosen = f"service={_text(service)}" if references is None else f"features={json.dumps(references)}"
    return (
        f"import pandas as pd\n{_connect(base_url)}\n\n"
        "# One row per example: which entity, and as of when.\n"
        f"entity_df = pd.DataFrame({{\n{columns}\n"
        '    "event_timestamp": [pd.Timestamp.now("UTC")],\n})\n'
        f"training = client.get_historical_features(entity_df=entity_df, {chosen})"
    )


def _arguments(keys: dict[str, str]) -> str:
    if all(key.isidentifier() and not iskeyword(key) for key in keys):
        return ", ".join(f"{key}={_text(value)}" for key, value in keys.items())
    return f"**{json.dumps(keys)}"


def _text(value: str) -> str:
    """A Python text literal; JSON's form is one."""
    return json.dumps(value, ensure_ascii=False)
