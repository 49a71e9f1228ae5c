"""What all tests share: a data folder of their own, and what a marked test needs of the machine."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import hypothesis
import pytest
from django.conf import settings as django_settings

from catalog import generation
from catalog.search import indexer
from featurestore_site.configuration import Configuration
from serving import callers, online_plan
from serving.kept_answers import AnswerRoom
from tests.quick_started import quick_started, served

# What a property promises holds on a slow machine too; how long an example takes there is nobody's fault.
hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")

__all__ = ["configuration", "nothing_is_trusted", "quick_started", "require", "served"]


# They take minutes each: begun last, one process would wait for the other at the end.
_LONGEST = frozenset({"test_on_mariadb.py", "test_on_postgresql.py"})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where the suite runs in several processes, the longest files begin first."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: item.path.name not in _LONGEST)


@pytest.fixture(autouse=True)
def configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configuration:
    """The configuration of this test: everything it writes goes below ``tmp_path``."""
    base: Configuration = django_settings.FEATURESTORE
    store = base.feature_store.model_copy(
        update={"offline_path": str(tmp_path / "offline"), "metadata_path": tmp_path / "feature_metadata.json"}
    )
    output = base.output.model_copy(update={"reports_dir": tmp_path / "reports", "logs_dir": tmp_path / "logs"})
    changed = dataclasses.replace(base, data_dir=tmp_path, feature_store=store, output=output)
    monkeypatch.setattr(django_settings, "FEATURESTORE", changed)
    return changed


@pytest.fixture(autouse=True)
def nothing_is_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every request looks again who calls and what the catalog holds; tests of what is trusted say for how long."""
    monkeypatch.setattr(generation, "_looked", generation._Looked())
    monkeypatch.setattr(generation, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(callers, "TRUSTED_SECONDS", 0.0)
    monkeypatch.setattr(online_plan, "_kept", AnswerRoom())


@pytest.fixture(autouse=True)
def search_begins_anew() -> None:
    """What the index of this process took over from an earlier test was rolled back with it."""
    indexer.forget()


def require(available: bool, what: str) -> None:
    """Skip the test when the machine lacks ``what``; fail it where FEATURESTORE_REQUIRE_SERVICES is set."""
    if available:
        return
    if os.environ.get("FEATURESTORE_REQUIRE_SERVICES") == "1":
        pytest.fail(f"needs {what}, and FEATURESTORE_REQUIRE_SERVICES=1 says that it must be here")
    pytest.skip(f"needs {what}")
