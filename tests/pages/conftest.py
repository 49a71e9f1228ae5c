"""The people who open pages."""

from __future__ import annotations

import pytest
from django.test import Client

from catalog.access import Role
from tests import stocked_store as store
from tests.pages.filled import signed_in


@pytest.fixture
def viewer(db: None) -> Client:
    return signed_in(store.make_user("vera", Role.VIEWER))


@pytest.fixture
def engineer(db: None) -> Client:
    return signed_in(store.make_user("enno", Role.DATA_ENGINEER))


@pytest.fixture
def steward(db: None) -> Client:
    return signed_in(store.make_user("stella", Role.STEWARD))


@pytest.fixture
def stranger(db: None) -> Client:
    """Signed in, without any role."""
    return signed_in(store.make_user("stig"))


@pytest.fixture
def anonymous(db: None) -> Client:
    return Client()
