"""Feast's own client, with a remote online store, reads from this store."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from benchmarks.feast_environment import has_feast
from catalog.access import Role
from serving.tokens import issue_token
from tests.installation import PROJECT
from tests.stocked_store import make_feature, make_group, make_service, make_user, put_online

# An environment with Feast, which cannot share ours: see benchmarks/README.md.
_FEAST = Path(os.environ.get("FEATURESTORE_TEST_FEAST_VENV", "")) / "bin" / "python"
_PAGE = PROJECT / "docs" / "coming_from_feast.md"
_SCRIPT = Path(__file__).with_name("feast_client_side.py")
_TYPES = {
    "balance_mean": ("float", 1.5),
    "visits": ("integer", 2**53 + 1),
    "city": ("string", "Plzeň"),
    "active": ("boolean", False),
    "since": ("timestamp", "2025-03-01T12:00:00.000000Z"),
}
SINCE = 1_740_830_400


def documented_configuration(address: str) -> str:
    """The configuration of docs/coming_from_feast.md, with another address."""
    [text] = re.findall(r"^```yaml\n(.+?)^```", _PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert "http://localhost:8000" in text
    return text.replace("http://localhost:8000", address)


@pytest.fixture
def answers(transactional_db: None, live_server: LiveServer, tmp_path: Path) -> dict[str, Any]:
    """What Feast's client was answered, question by question."""
    if not has_feast(_FEAST):
        pytest.skip("needs an environment with Feast, named by FEATURESTORE_TEST_FEAST_VENV")
    group = make_group()
    versions = {name: make_feature(group, name, kind) for name, (kind, _) in _TYPES.items()}
    put_online(group, "1", {f"{name}_v1": value for name, (_, value) in _TYPES.items()})
    put_online(group, "2", {"balance_mean_v1": None, "visits_v1": 7})
    make_service("churn", versions["visits"], versions["balance_mean"])
    key = issue_token(user=make_user("reader", Role.VIEWER), name="feast", scopes=["read"]).key
    (tmp_path / "feature_store.yaml").write_text(documented_configuration(live_server.url))
    done = subprocess.run(
        [str(_FEAST), str(_SCRIPT), str(tmp_path)],
        cwd=tmp_path, capture_output=True, text=True, timeout=900, check=False,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "FEAST_USAGE": "False", "FEATURESTORE_TOKEN": key},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.slow
def test_feasts_client_reads_values_and_raises_its_own_errors(answers: dict[str, Any]) -> None:
    assert answers["features"] == {
        "customer_id": [1, 2, 404],
        "balance_mean": [1.5, None, None],
        "visits": [2**53 + 1, 7, None],
        "city": ["Plzeň", None, None],
        "active": [False, None, None],
        "since": [SINCE, None, None],
    }
    assert answers["full names"] == {
        "customer_id": [1, 2, 404],
        "finance__balance_mean": [1.5, None, None],
        "finance__visits": [2**53 + 1, 7, None],
    }
    assert answers["service"] == {
        "customer_id": [1, 2, 404],
        "visits": [2**53 + 1, 7, None],
        "balance_mean": [1.5, None, None],
    }
    assert answers["by view"] == [
        {
            "balance_mean": ["double_val", 1.5],
            "visits": ["int64_val", 2**53 + 1],
            "city": ["string_val", "Plzeň"],
            "active": ["bool_val", False],
            "since": ["unix_timestamp_val", SINCE],
        },
        dict.fromkeys(_TYPES, [None, None]),
    ]
    raised = {name: answers[name][0] for name in answers if isinstance(answers[name], list) and name != "by view"}
    assert raised == {
        "unknown view": "FeatureViewNotFoundException",
        "unknown feature": "SpecifiedFeaturesNotPresentError",
        "unknown service": "FeatureServiceNotFoundException",
        "twice": "FeastError",
        "no token": "FeastPermissionError",
        "push": "FeastError",
    }
    assert "did you mean finance:visits?" in answers["unknown view"][1]
    assert "did you mean visits?" in answers["unknown feature"][1]
    assert "did you mean churn?" in answers["unknown service"][1]
    assert "values come in by ingestion" in answers["push"][1]
