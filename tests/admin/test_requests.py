"""Answering in the admin what people ask for, and views that are theirs alone."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from catalog.models import Feature, FeatureRequest, RequestState, SavedView
from tests.admin.conftest import Stocked, events_after, newest_event


def answer(client: Client, **fields: object) -> int:
    address = reverse("admin:catalog_featurerequest_change", args=[FeatureRequest.objects.get().pk])
    return client.post(address, {"state": "fulfilled", "answer": "", "feature": "", **fields}).status_code


def test_a_steward_answers(steward: Client, stocked: Stocked) -> None:
    first = newest_event()
    feature = Feature.objects.get(pk=stocked.balance.feature_id)

    assert answer(steward, answer="It is there.", feature=feature.pk) == 302

    asked = FeatureRequest.objects.get()
    assert (asked.state, asked.answer, asked.feature) == (RequestState.FULFILLED, "It is there.", feature)
    assert (asked.answered_by, asked.answered_at is not None) == ("stella", True)
    [event] = events_after(first)
    assert (event.action, event.object_name) == ("answer request", "days since last login")


@pytest.mark.parametrize("fields", [{}, {"state": "open", "answer": "soon"}])
def test_an_answer_says_something(fields: dict[str, str], steward: Client, stocked: Stocked) -> None:
    assert answer(steward, **fields) == 200
    assert FeatureRequest.objects.get().state == RequestState.OPEN


@pytest.mark.parametrize("role", ["scientist", "stranger"])
def test_others_answer_nothing(role: str, stocked: Stocked, request: pytest.FixtureRequest) -> None:
    assert answer(request.getfixturevalue(role), answer="mine") in (302, 403)
    assert FeatureRequest.objects.get().state == RequestState.OPEN


def test_private_views_are_not_listed(steward: Client, stocked: Stocked) -> None:
    owner = User.objects.create_user("somebody")
    SavedView.objects.create(slug="secret", name="Secret plans", user=owner)
    listed = steward.get(reverse("admin:catalog_savedview_changelist")).content.decode()
    assert "finance" in listed
    assert "Secret plans" not in listed
