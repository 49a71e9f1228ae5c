"""quickstart: from nothing to a store that answers, and again without harm."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.installation import Installation

STATE = """
import django, sys
django.setup()
from django.contrib.auth.models import User
from django.test import Client
from serving.models import FeatureValue, MaterializedTable
print(FeatureValue.objects.count(), sum(MaterializedTable.objects.values_list("history_rows", flat=True)),
      sorted(MaterializedTable.objects.values_list("table_version", flat=True)), User.objects.count(), sep=";")
client = Client(SERVER_NAME="127.0.0.1", headers={"authorization": "Token " + sys.argv[1]})
answer = client.get(sys.argv[2])
print(answer.status_code, answer.json().get("status"))
"""
CURL = re.compile(r'curl -H "Authorization: Token (\S+)" http://127\.0\.0\.1:8123(/\S+)')


def state(installation: Installation, text: str) -> tuple[str, str]:
    """What the store holds, and what the printed curl line answers."""
    found = CURL.search(text)
    assert found is not None, text
    held, answered = installation.run("-c", STATE, *found.groups()).splitlines()
    return held, answered


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return Installation(folder=tmp_path, database_url=f"sqlite:///{tmp_path / 'store.db'}")


@pytest.mark.slow
def test_twice_over_the_demo_warehouse(installation: Installation) -> None:
    """A small one that was made before; the documentation's tests start from nothing."""
    installation.manage("demo_warehouse", "--customers", "60", "--days", "3")
    first = installation.manage("quickstart", "--no-serve", "--port", "8123")
    before = state(installation, first)
    second = installation.manage("quickstart", "--no-serve", "--port", "8123")

    assert before[1] == "200 PRESENT"
    assert state(installation, second) == before
    new_in_history = [int(number.replace(",", "")) for number in re.findall(r"([\d,]+) new in history", first)]
    assert len(new_in_history) >= 3
    assert min(new_in_history) > 0
    again = re.findall(r"([\d,]+) new in history, ([\d,]+) online", second)
    assert again == [("0", "0")] * len(new_in_history)
    assert "administrator admin, password (the one it has)" in second


@pytest.mark.slow
def test_over_a_warehouse_of_ones_own(installation: Installation, tmp_path: Path) -> None:
    warehouse = tmp_path / "own.db"
    with closing(sqlite3.connect(warehouse)) as database, database:
        database.execute("CREATE TABLE dim_customers (customer_id, age, geography, gender, age_group, last_updated)")
        database.execute(
            "CREATE TABLE fact_customer_features (customer_id, balance_mean, balance_std, credit_score_mean, "
            "estimated_salary_mean, balance_to_salary_ratio, high_value_customer, geographic_risk_score, "
            "credit_score_category, last_updated)"
        )
        database.execute("INSERT INTO dim_customers VALUES (7, 40, 'France', 'Male', '36-45', '2025-03-01 10:00:00')")
        database.execute(
            "INSERT INTO fact_customer_features VALUES "
            "(7, 161993.89, 0, 600, 50000, 3.2, 1, 1.0, 'Fair', '2025-03-01 10:00:00')"
        )

    text = installation.manage(
        "quickstart", "--no-serve", "--port", "8123", "--warehouse", str(warehouse), "--password", "chosen one"
    )

    assert f"  {warehouse}\n" in text
    assert text.count("1 rows read") == 3
    assert "password chosen one" in text
    assert "/api/v1/features/balance_mean/entity/7" in text
    assert state(installation, text) == ("3;3;[1, 1, 1];1", "200 PRESENT")


def test_paths_that_are_not_there_are_refused_before_anything_is_made(installation: Installation) -> None:
    process = installation.start("manage.py", "quickstart", "--no-serve", "--warehouse", "/no/such.db")
    text, _ = process.communicate(timeout=400)

    assert process.returncode == 1
    assert "--warehouse: there is no file /no/such.db" in text
    # The settings make the file, for its owner alone; nothing is in it.
    assert (installation.folder / "store.db").stat().st_size == 0
