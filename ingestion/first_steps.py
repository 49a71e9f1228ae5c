"""The first steps in a new store, ticked by what is there."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from catalog.access import Capability, may
from catalog.models import Feature, FeatureService
from ingestion.demo_loading import demo_is_wanted
from ingestion.models import DemoLoad, IngestionRun, RunState
from serving.models import ApiToken, FeatureUsage


@dataclass(frozen=True)
class Step:
    title: str | Promise
    how: str | Promise
    is_done: bool
    command: str = ""
    href: str = ""


def first_steps(request: HttpRequest, subject: None) -> dict[str, object] | None:  # noqa: ARG001
    """The steps, and how far the demo is; None when all of them are done. Two queries at most."""
    facts = _facts(request)
    load = None if facts[1] else DemoLoad.objects.first()
    is_loading = load is not None and load.is_open
    if all(facts) and not is_loading:
        return None
    has_features, has_values, has_token, was_read, has_service = facts
    steps = [
        Step(_("Register features"), _("from the configuration, config_step7.yaml"), has_features,
             "python manage.py apply"),
        Step(_("Ingest their values"), _("from the warehouse, with checks and statistics"), has_values,
             "python manage.py ingest"),
        Step(_("Make a token"), _("with which programs use the API in your name"), has_token,
             href=reverse("serving:my-tokens")),
        Step(_("Read a value"), _("with a snippet from the page of any feature"), was_read,
             href=reverse("catalog:search")),
        Step(_("Pin a feature service"), _("so that a model reads the same versions tomorrow"), has_service,
             href=reverse("catalog:service-list")),
    ]  # fmt: skip
    may_load = may(request.user, Capability.ADMINISTER) and demo_is_wanted()
    is_over = load is not None and load.state in (RunState.FAILED, RunState.CANCELLED)
    return {
        "steps": steps,
        "is_empty": not has_features,
        "load": load,
        "may_load": may_load and not is_loading and (not has_features or is_over),
    }


def _facts(request: HttpRequest) -> tuple[bool, bool, bool, bool, bool]:
    """Whether there are features, values, a token of the reader, reads, and a service. One query."""
    if request.user.pk is None:
        return (False,) * 5
    done = IngestionRun.objects.filter(state=RunState.SUCCEEDED)
    own = ApiToken.objects.filter(user_id=OuterRef("pk"))
    others = [Exists(some) for some in (Feature.objects.all(), done, own, FeatureUsage.objects.all())]
    people = get_user_model().objects.filter(pk=request.user.pk)
    found = people.values_list(*others, Exists(FeatureService.objects.all())).first()
    return (False,) * 5 if found is None else tuple(map(bool, found))  # type: ignore[return-value]  # five facts
