"""README says what is so: its commands are there and its lines run as they are written."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
from typing import Any

import pytest
from django.core.management import get_commands, load_command_class

from feature_store_client import FeatureStoreClient
from tests.installation import PROJECT
from tests.quick_started import QuickStarted

README = (PROJECT / "README.md").read_text(encoding="utf-8")
APPS = ("featurestore_site", "catalog", "serving", "ingestion")
START = "python3 -m venv .venv && .venv/bin/pip install -e . && .venv/bin/python manage.py quickstart"
TEST = "python3 -m venv .venv && .venv/bin/pip install -e '.[test]' && .venv/bin/pytest"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def own_commands() -> set[str]:
    return {name for name, app in get_commands().items() if isinstance(app, str) and app.split(".")[0] in APPS}


def test_the_two_commands_are_blocks_of_their_own() -> None:
    assert blocks("bash")[:2] == [f"{START}\n", f"{TEST}\n"]


def test_ci_runs_the_test_command_of_the_readme() -> None:
    assert ".venv/bin/pip install -e '.[test]' && .venv/bin/pytest" in (PROJECT / ".ci" / "run").read_text()
    assert sum(".venv/bin/pytest" in line for line in README.splitlines()) == 1


def test_every_command_is_in_the_table_and_no_other() -> None:
    assert set(re.findall(r"^\| `([a-z_]+)` \|", README, re.MULTILINE)) == own_commands()


def test_the_commands_for_the_original_scripts_take_their_options() -> None:
    table = dict(re.findall(r"^\| `(\w+\.py[^`]*)` \| `manage\.py ([^`]+)` \|$", README, re.MULTILINE))
    assert set(table) == {
        "feature_store_manager.py --status",
        "feature_ingestion.py",
        "feature_validation.py --check-all",
        "api_server.py",
    }
    for line in table.values():
        name, *options = line.split()
        parser = load_command_class(get_commands()[name], name).create_parser("manage.py", name)
        parser.parse_args(options)


@pytest.mark.slow
class TestAsItIsWritten:
    def test_quickstart_prints_a_line_that_answers(self, quick_started: QuickStarted, served: str) -> None:
        found = re.search(r"curl .+", quick_started.printed)
        assert found is not None

        answer = json.loads(_shell(_at(found[0], served), quick_started.token))

        assert (answer["status"], answer["feature"]) == ("PRESENT", "balance_mean")

    def test_the_curl_lines(self, quick_started: QuickStarted, served: str) -> None:
        lines = [line for block in blocks("bash") for line in block.splitlines() if line.startswith("curl ")]
        assert len(lines) == 3

        one, several, found = (json.loads(_shell(_at(line, served), quick_started.token)) for line in lines)

        assert (one["entity_id"], one["status"]) == ("15634602", "PRESENT")
        assert set(several["features"]) == {"balance_mean", "credit_score_mean", "high_value_customer"}
        assert several["features"]["balance_mean"] == one["value"]
        assert found["count"] > 0

    def test_the_calls_of_the_sdk(self, quick_started: QuickStarted, served: str) -> None:
        [code] = blocks("python")
        code = _at(code, served).replace("fs_…", quick_started.token)
        tree = ast.parse(code)
        asked = [position for position, line in enumerate(tree.body) if isinstance(line, ast.Expr)]
        assert len(asked) == 4
        for number, position in enumerate(asked):
            call = ast.unparse(tree.body[position])
            tree.body[position] = ast.parse(f"answer_{number} = {call}").body[0]
        names: dict[str, Any] = {}

        exec(compile(tree, "README.md", "exec"), names)

        client = names["client"]
        assert isinstance(client, FeatureStoreClient)
        client.close()
        value, vector, frame, training = (names[f"answer_{number}"] for number in range(4))
        assert vector["balance_mean"] == value
        assert frame["entity_id"].tolist() == ["15634602", "15619304"]
        assert list(frame.columns) == ["entity_id", "balance_mean", "credit_score_mean"]
        assert frame["balance_mean"].iloc[0] == value
        assert list(training.columns) == ["entity_id", "event_timestamp", "balance_mean", "credit_score_mean"]
        assert training["balance_mean"].tolist() == [value]

    def test_the_frame_of_the_sdk_page(self, quick_started: QuickStarted, served: str) -> None:
        page = (PROJECT / "docs" / "sdk.md").read_text(encoding="utf-8")
        code = re.findall(r"^```python\n(.*?)^```$", page.partition("## Score many entities")[2], re.M | re.S)[0]

        with FeatureStoreClient(served, quick_started.token) as client:
            names: dict[str, Any] = {"client": client}
            exec(compile(code, "docs/sdk.md", "exec"), names)

        customers, scored = names["customers"], names["scored"]
        assert list(scored.columns) == [
            "entity_id", "campaign", "balance_mean", "balance_mean__status", "balance_mean__event_timestamp",
            "credit_score_mean", "credit_score_mean__status", "credit_score_mean__event_timestamp",
        ]  # fmt: skip
        assert scored[["entity_id", "campaign"]].equals(customers)
        assert scored["balance_mean__status"].tolist() == ["PRESENT", "NOT_FOUND"]
        assert names["present"].index.tolist() == ["first"]


def _at(text: str, address: str) -> str:
    assert "http://127.0.0.1:8000" in text
    return text.replace("http://127.0.0.1:8000", address)


def _shell(line: str, token: str) -> str:
    done = subprocess.run(
        ["bash", "-c", line],
        env={**os.environ, "TOKEN": token},
        capture_output=True,
        text=True,
        timeout=180,
        check=True,
    )
    return done.stdout
