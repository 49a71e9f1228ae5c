"""Code to copy."""

from __future__ import annotations

import ast
import json
import shlex

import pytest

from catalog.snippets import FeatureUse, feature_snippets, online_sql, service_snippets

ONE_KEY = FeatureUse(
    base_url="http://store.test:8000",
    name="balance_mean",
    group="finance",
    version="1.2",
    value_column="balance_mean_v1",
    join_keys=("customer_id",),
)
TWO_KEYS = FeatureUse(
    base_url="http://store.test:8000",
    name="visits",
    group="shops",
    version="2.0",
    value_column="visits_v2",
    join_keys=("customer_id", "class"),
    is_ambiguous=True,
)


@pytest.mark.parametrize("use", [ONE_KEY, TWO_KEYS], ids=["one key", "two keys, ambiguous"])
def test_python_is_python_and_shell_is_shell(use: FeatureUse) -> None:
    by_id = {snippet.id: snippet.code for snippet in feature_snippets(use)}

    for name in ("use-python", "use-training"):
        ast.parse(by_id[name])
    words = shlex.split(by_id["use-curl"].replace("\\\n", " "))
    assert words[0] == "curl"
    assert any(word.startswith("http://store.test:8000/api/v1/") for word in words)


def test_one_key_is_asked_by_its_address() -> None:
    code = feature_snippets(ONE_KEY)[1].code
    assert "http://store.test:8000/api/v1/features/balance_mean/entity/15634602?version=1.2" in code


def test_composite_keys_are_asked_by_name() -> None:
    words = shlex.split(feature_snippets(TWO_KEYS)[1].code.replace("\\\n", " "))
    body = json.loads(words[words.index("-d") + 1])
    assert body == {"customer_id": "1", "class": "1", "features": ["shops:visits@2.0"]}


@pytest.mark.parametrize("database", ["sqlite", "postgresql", "mysql"])
def test_sql_names_the_value_column(database: str) -> None:
    code = online_sql(ONE_KEY, database=database)
    assert "balance_mean_v1" in code
    assert "WHERE g.name = 'finance'" in code


@pytest.mark.parametrize("join_keys", [["customer_id"], ["customer_id", "region"]])
def test_a_service_is_asked_as_a_whole(join_keys: list[str]) -> None:
    python, curl, training = service_snippets(base_url="http://s", service="churn", join_keys=join_keys)
    ast.parse(python.code)
    ast.parse(training.code)
    words = shlex.split(curl.code.replace("\\\n", " "))
    assert json.loads(words[words.index("-d") + 1])["service"] == "churn"
