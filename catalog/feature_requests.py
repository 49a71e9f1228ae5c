"""Asking for a feature that is not there, and answering."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from catalog.access import Capability, Reader, may
from catalog.actor import current_actor
from catalog.audit import record, snapshot
from catalog.clock import now
from catalog.errors import Conflict, InvalidInput, NotAuthenticated, PermissionDenied
from catalog.models import Feature, FeatureRequest
from catalog.models.feature_request import RequestState
from catalog.wording import gettext as _

_WANTED_LENGTH, _REASON_LENGTH, _QUERY_LENGTH = 200, 5_000, 2000
_MOST_OPEN = 50


def ask_for_feature(*, user: Reader, wanted: str, reason: str = "", query: str = "") -> FeatureRequest:
    """Record that ``user`` looks for a feature; the same open request again is that one.

    :raises NotAuthenticated: for strangers, whom nobody could answer.
    :raises InvalidInput: when nothing is said, or too much.
    :raises Conflict: when fifty requests of the person are open already.
    """
    if not isinstance(user, AbstractBaseUser) or not user.is_authenticated:
        raise NotAuthenticated(_("sign in to ask for a feature: the answer is on your own page"))
    wanted, reason = " ".join(wanted.split()), reason.strip()
    if not wanted or len(wanted) > _WANTED_LENGTH:
        raise InvalidInput(
            _("say in 1 to %(wanted_length)s characters what you look for") % {"wanted_length": _WANTED_LENGTH},
            details={"field": "wanted"},
        )
    if len(reason) > _REASON_LENGTH:
        raise InvalidInput(
            _("at most %(reason_length)s characters of reason") % {"reason_length": _REASON_LENGTH},
            details={"field": "reason"},
        )
    with transaction.atomic():
        own = FeatureRequest.objects.filter(user_id=user.pk, state=RequestState.OPEN)
        same = own.filter(wanted=wanted, reason=reason).first()
        if same is not None:
            return same
        if own.count() >= _MOST_OPEN:
            raise Conflict(
                _("%(most_open)s of your requests are open; wait for answers first") % {"most_open": _MOST_OPEN}
            )
        asked = FeatureRequest(wanted=wanted, reason=reason, query=query[:_QUERY_LENGTH], user_id=user.pk)
        asked.save()
        record(action="ask for feature", instance=asked, after=snapshot(asked, ["wanted", "reason", "query"]))
    return asked


def answer_request(
    *, request: FeatureRequest, answerer: Reader, state: RequestState, answer: str, feature: Feature | None = None
) -> FeatureRequest:
    """Say what became of ``request``: who asked reads it on their page. Answering again replaces the answer.

    :raises PermissionDenied: for those who do not edit the catalog.
    :raises InvalidInput: without a word or a feature, or when ``state`` is open.
    """
    if not may(answerer, Capability.EDIT_CATALOG):
        raise PermissionDenied(_("requests are answered by those who edit the catalog"))
    answer = answer.strip()
    if state == RequestState.OPEN or not (answer or feature):
        raise InvalidInput(_("fulfil or decline it, with a word or the feature that fulfils it"))
    fields = ["state", "answer", "feature", "answered_by", "answered_at"]
    with transaction.atomic():
        locked = FeatureRequest.objects.select_for_update().get(pk=request.pk)
        before = snapshot(locked, fields)
        locked.state, locked.answer, locked.feature = state, answer, feature
        locked.answered_by, locked.answered_at = current_actor().name, now()
        locked.save()
        record(action="answer request", instance=locked, before=before, after=snapshot(locked, fields))
    return locked
