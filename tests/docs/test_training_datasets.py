"""docs/training_datasets.md, its code run as it stands there."""

from __future__ import annotations

import re
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from catalog.access import Role
from serving.datasets.building import build_dataset
from serving.models import TrainingDataset
from serving.tokens import issue_token
from tests.stocked_store import make_feature, make_group, make_user, put_history

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = Path(__file__).parents[2] / "docs" / "training_datasets.md"
START = datetime(2025, 1, 1, tzinfo=UTC)


def fill(folder: Path) -> None:
    """500 customers whose balance tells something of whether they churn, and their labels."""
    chance = np.random.default_rng(7)
    money = make_group("customer_financial")
    people = make_group("customer_demographics")
    for name in ("balance_mean", "credit_score_mean", "estimated_salary_mean"):
        make_feature(money, name)
    make_feature(people, "geography_mode", "string")
    balances = chance.normal(80_000, 30_000, 500)
    put_history(
        money,
        [
            {
                "key": str(key),
                "event": START,
                "balance_mean_v1": float(balance) if key % 50 else None,
                "credit_score_mean_v1": float(chance.normal(650, 90)),
                "estimated_salary_mean_v1": float(chance.normal(100_000, 40_000)),
            }
            for key, balance in enumerate(balances)
        ],
    )
    countries = ("France", "Germany", "Spain")
    put_history(
        people, [{"key": str(key), "event": START, "geography_mode_v1": countries[key % 3]} for key in range(500)]
    )
    labels = pd.DataFrame(
        {
            "customer_id": range(500),
            "event_timestamp": [(START + timedelta(days=30)).isoformat()] * 500,
            "churned": balances + chance.normal(0, 15_000, 500) < 70_000,
        }
    )
    labels.to_csv(folder / "churn_labels.csv", index=False)


def test_the_code_of_the_page_runs(live_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.api.datasets.wake_builder", build_dataset)
    fill(tmp_path)
    monkeypatch.chdir(tmp_path)
    key = issue_token(user=make_user("sara", Role.DATA_SCIENTIST), name="docs", scopes=["read", "write"]).key
    monkeypatch.setenv("FEATURESTORE_TOKEN", key)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    code = "\n".join(blocks).replace("http://localhost:8000", live_server.url)

    scope: dict[str, Any] = {}
    with warnings.catch_warnings():
        # The libraries that the page trains with may deprecate what they like.
        warnings.simplefilter("ignore")
        exec(code, scope)
    scope["client"].close()

    stored = TrainingDataset.objects.get()
    assert scope["trained_on"]["dataset"] == str(stored.pk)
    assert scope["trained_on"]["content_hash"] == stored.content_hash
    assert scope["trained_on"]["auc"] > 0.8
    assert len(scope["train"]) + len(scope["test"]) == 500
    assert 60 < len(scope["test"]) < 140
    assert scope["verified"].identical
