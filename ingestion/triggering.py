"""Runs asked for by people and programs: of which groups, and whether the caller waits."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from catalog.errors import Conflict
from catalog.models import FeatureGroup, Status
from catalog.wording import gettext as _
from ingestion.group_choice import choose_groups
from ingestion.models import IngestionRun, RunKind
from ingestion.runs import request_run
from ingestion.tasks import wake_worker

TRIGGER = "api"


def groups_to_run(names: Sequence[str] | None, *, user: AbstractBaseUser | AnonymousUser) -> list[FeatureGroup]:
    """The groups named, each once and in their order; without names all that are ingested.

    :raises NotFound: on a name that is no group which ``user`` may know of, with the nearest names.
    """
    return choose_groups(names, among=FeatureGroup.objects.visible_to(user).ingested())


def start_runs(
    groups: Sequence[FeatureGroup], *, kind: RunKind, user: AbstractBaseUser | AnonymousUser
) -> list[IngestionRun]:
    """One run for each group, with a worker woken for it; a run that already waits is that run."""
    person = user if isinstance(user, AbstractBaseUser) else None
    return [request_run(group=group, kind=kind, trigger=TRIGGER, user=person, wake=wake_worker) for group in groups]


def retry_run(run: IngestionRun, *, user: AbstractBaseUser | AnonymousUser) -> IngestionRun:
    """A new run that does what ``run`` did.

    :raises Conflict: while ``run`` has not ended, or when its group is archived.
    """
    if not run.is_finished:
        raise Conflict(
            _("the run is %(state)s and goes on by itself; only one that has ended is started again")
            % {"state": run.state},
            details={"state": run.state},
        )
    if run.group.status == Status.ARCHIVED:
        raise Conflict(_("the group %(name)s is archived; nothing is ingested into it") % {"name": run.group.name})
    return start_runs([run.group], kind=RunKind(run.kind), user=user)[0]
