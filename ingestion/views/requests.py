"""The buttons that ask for a run."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from catalog.access import Capability
from catalog.errors import Conflict, InvalidInput
from catalog.models import FeatureGroup, Status
from catalog.views.access import page
from catalog.views.groups import group_named
from ingestion.models import RunKind
from ingestion.runs import request_run
from ingestion.tasks import wake_worker
from ingestion.views.runs import run_of


@require_POST
@page(Capability.RUN_INGESTION)
def request_group_run(request: HttpRequest, name: str) -> HttpResponse:
    """Ask for a run of the group; ``kind`` of the form is ingest or validate."""
    kind = request.POST.get("kind", RunKind.INGEST.value)
    if kind not in RunKind.values:
        raise InvalidInput(
            _("%(kind)r is not a kind of run; it is %(values)s")
            % {"kind": kind, "values": _(" or ").join(RunKind.values)}
        )
    return _requested(request, group_named(name, user=request.user), RunKind(kind))


@require_POST
@page(Capability.RUN_INGESTION)
def request_again(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Ask for another run like this one, which has ended."""
    found = run_of(request, run_id)
    if not found.is_finished:
        raise Conflict(_("this run has not ended yet; wait for its end before asking for another"))
    return _requested(request, found.group, RunKind(found.kind))


def _requested(request: HttpRequest, group: FeatureGroup, kind: RunKind) -> HttpResponse:
    if group.status == Status.ARCHIVED:
        raise Conflict(_("the group %s is archived; nothing is ingested into it") % group.name)
    user = request.user if isinstance(request.user, AbstractBaseUser) else None
    run = request_run(group=group, kind=kind, trigger="page", user=user, wake=wake_worker)
    messages.success(
        request,
        _("%(kind)s of %(group)s is asked for; it starts when a worker is free.")
        % {"kind": str(kind.label).capitalize(), "group": group.name},
    )
    return redirect("ingestion:run", run_id=run.pk)
