"""What the tests of online reads ask about; a file that asks about something else says so itself."""

from __future__ import annotations

import pytest
from django.test import Client

from catalog.access import Role
from catalog.models import FeatureGroup
from tests.stocked_store import client_of, make_feature, make_group, make_user, put_online


@pytest.fixture
def group() -> FeatureGroup:
    """Two features and two customers: an integer beyond what a float holds exactly, and a null."""
    group = make_group()
    make_feature(group, "balance_mean")
    make_feature(group, "visits", "integer")
    put_online(group, "1", {"balance_mean_v1": 1.5, "visits_v1": 2**53 + 1})
    put_online(group, "2", {"balance_mean_v1": None, "visits_v1": 7})
    return group


@pytest.fixture
def reader() -> Client:
    """Whoever may read values and no more."""
    return client_of(make_user("reader", Role.VIEWER))
