"""A process that serves values holds no library for tables in memory."""

from __future__ import annotations

import json
from pathlib import Path

from tests.installation import Installation

TABLES = {"pyarrow", "pandas", "duckdb", "deltalake", "sqlglot"}
SERVE = """
import json, sys
from featurestore_site.wsgi import application
from django.core.management import call_command
from django.test import Client
call_command("migrate", verbosity=0)
client = Client(headers={"authorization": "Token fs_unknown", "host": "localhost"})
body = json.dumps({"entity_id": 1, "features": ["balance_mean"]})
answers = [
    client.post("/api/v1/features/batch", body, content_type="application/json").status_code,
    client.post("/get-online-features", "{}", content_type="application/json").status_code,
    client.get("/api/v1/features/balance_mean/entity/1").status_code,
    client.get("/api/v1/features/balance_mean/entity/1/explain").status_code,
    client.get("/api/v1/health", headers={"authorization": ""}).status_code,
]
print(json.dumps([answers, sorted({name.partition(".")[0] for name in sys.modules})]))
"""


def test_reads_and_probes_load_neither_arrow_nor_pages(tmp_path: Path) -> None:
    made = Installation(tmp_path, f"sqlite:///{tmp_path / 'store.db'}")
    answers, loaded = json.loads(made.run("-c", SERVE).splitlines()[-1])
    assert answers[:4] == [401] * 4
    assert answers[4] in (200, 503)
    assert TABLES & set(loaded) == set()
