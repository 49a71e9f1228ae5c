"""Following features and groups: whoever follows sees them on their own page."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction

from catalog.access import Reader
from catalog.audit import record, snapshot
from catalog.errors import NotAuthenticated
from catalog.models import Feature, FeatureGroup, Follow
from catalog.models.subject import subject_fields
from catalog.wording import gettext as _


def follow(*, user: Reader, subject: Feature | FeatureGroup) -> Follow:
    """Let ``user`` follow ``subject``; done once however often it is asked for.

    :raises NotAuthenticated: for strangers, who have no page of their own.
    """
    person = _person(user)
    with transaction.atomic():
        made, is_new = Follow.objects.get_or_create(user=person, **subject_fields(subject))
        if is_new:
            record(action="follow", instance=made, after=snapshot(made, ["user", "feature", "group"]))
    return made


def unfollow(*, user: Reader, subject: Feature | FeatureGroup) -> bool:
    """Let ``user`` no longer follow ``subject``; whether they did.

    :raises NotAuthenticated: for strangers.
    """
    person = _person(user)
    with transaction.atomic():
        found = Follow.objects.about(subject).filter(user=person).select_for_update().first()
        if found is None:
            return False
        record(action="unfollow", instance=found, before=snapshot(found, ["user", "feature", "group"]))
        found.delete()
    return True


def is_following(*, user: Reader, subject: Feature | FeatureGroup) -> bool:
    """Whether ``user`` follows ``subject`` itself."""
    return user.is_authenticated and Follow.objects.about(subject).filter(user_id=user.pk).exists()


def _person(user: Reader) -> User:
    if not isinstance(user, User):
        raise NotAuthenticated(_("sign in to follow features and groups: what you follow is on your own page"))
    return user
