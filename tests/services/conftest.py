from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.installation import Installation
from tests.services.servers import DATABASES, fresh_database


@pytest.fixture(params=DATABASES, scope="module")
def installation(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation on each database, with features registered and nothing ingested."""
    folder = tmp_path_factory.mktemp(request.param)
    with fresh_database(request.param, folder) as url:
        made = Installation(folder, url)
        made.prepare()
        yield made
