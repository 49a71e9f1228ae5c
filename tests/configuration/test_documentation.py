"""docs/configuration.md tells every key with its default, and every environment variable."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from featurestore_site.configuration.environment import VARIABLES
from featurestore_site.configuration.explaining import known_keys
from featurestore_site.configuration.loading import BESIDE_FILE, IN_DATA_DIR, PROJECT_DIR

PAGE = (PROJECT_DIR / "docs" / "configuration.md").read_text(encoding="utf-8")
ORIGINAL = Path(__file__).parent.parent / "data" / "config_original.yaml"
ROW = re.compile(r"^\| `([a-z0-9_.<>\[\]]+)`( \+)? \| (.*?) \| (.+) \|$", re.MULTILINE)
ROWS = {key: (bool(own), default.strip("`")) for key, own, default, _ in ROW.findall(PAGE)}


def leaves() -> dict[str, type[BaseModel]]:
    """The keys that have a value of their own, not only keys below them."""
    keys = known_keys()
    inner = {key for key in keys for other in keys if other.startswith(f"{key}.") and "<" not in other[len(key) :]}
    return {key: model for key, model in keys.items() if key not in inner and "." in key}


def default_of(key: str, model: type[BaseModel]) -> str:
    for places, folder in ((IN_DATA_DIR, "data/"), (BESIDE_FILE, "")):
        if (path := tuple(key.split("."))) in places:
            return folder + places[path]
    field = model.model_fields[key.rpartition(".")[2]]
    if field.is_required():
        return "required"
    value: Any = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel) or value in ("", {}):
        return "–"
    return str(value) if isinstance(value, str) else json.dumps(value)


def test_every_key_is_documented_and_no_other() -> None:
    assert set(ROWS) == set(leaves())


def test_every_default_is_the_one_that_holds() -> None:
    documented = {key: default for key, (_, default) in ROWS.items()}
    assert documented == {key: default_of(key, model) for key, model in leaves().items()}


def test_the_keys_of_the_original_are_those_without_a_mark() -> None:
    original = set(_keys(yaml.safe_load(ORIGINAL.read_text(encoding="utf-8")), ""))
    assert {key for key, (own, _) in ROWS.items() if not own} == original & set(ROWS)
    assert original <= set(known_keys())


def test_every_variable_is_documented() -> None:
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", PAGE, re.MULTILINE))
    assert documented == set(VARIABLES)


def _keys(values: Any, path: str) -> list[str]:
    if isinstance(values, list):
        return [key for value in values for key in _keys(value, f"{path}[]")]
    if not isinstance(values, dict):
        return []
    found = []
    for name, value in values.items():
        key = "features.<name>" if path == "features" else f"{path}.{name}".removeprefix(".")
        found += ([] if path == "features" else [key]) + _keys(value, key)
    return found
