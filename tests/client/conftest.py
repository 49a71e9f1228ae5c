from __future__ import annotations

from collections.abc import Iterator

import pytest

from feature_store_client import FeatureStoreClient, RetryPolicy
from tests.client.scripted_server import ScriptedServer


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    scripted = ScriptedServer()
    yield scripted
    scripted.stop()


@pytest.fixture
def client(server: ScriptedServer) -> Iterator[FeatureStoreClient]:
    with FeatureStoreClient(server.url, "secret", retries=RetryPolicy(retries=3, backoff=0.01)) as client:
        yield client
