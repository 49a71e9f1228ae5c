"""The store keeps its promises on PostgreSQL."""

from __future__ import annotations

import pytest

from tests.services.servers import POSTGRESQL
from tests.services.suites_on import pass_on

pytestmark = [pytest.mark.services, pytest.mark.slow]


def test_the_suites_of_the_stores_and_the_api() -> None:
    pass_on(POSTGRESQL)
