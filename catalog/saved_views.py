"""Searches that people keep under a name, and open by its slug on the page and in the API."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.text import slugify

from catalog.access import Reader
from catalog.audit import record, snapshot
from catalog.errors import Conflict, InvalidInput, NotAuthenticated, NotFound
from catalog.models import SavedView
from catalog.wording import gettext as _

# What belongs to one opening of a list, not to the list.
PASSING = frozenset({"page", "page_size", "view", "facets", "csrfmiddlewaretoken"})
_NAME_LENGTH, _QUERY_LENGTH = 100, 2000
_AUDITED = ("slug", "name", "query", "is_shared")


def save_view(*, user: Reader, name: str, query: QueryDict, is_shared: bool = False) -> SavedView:
    """Keep the search ``query`` under ``name``; one of the same name and person is replaced.

    :raises NotAuthenticated: for strangers.
    :raises InvalidInput: when the name has no letter or digit, or either is too long.
    :raises Conflict: when somebody else has a view of that slug.
    """
    person = _person(user)
    name, slug, kept = name.strip(), slugify(name)[:60].strip("-"), _kept(query)
    if not slug or len(name) > _NAME_LENGTH:
        raise InvalidInput(
            _("a view has a name of 1 to %(name_length)s letters and digits") % {"name_length": _NAME_LENGTH},
            details={"field": "name"},
        )
    if len(kept) > _QUERY_LENGTH:
        raise InvalidInput(
            _("a saved search has at most %(query_length)s characters") % {"query_length": _QUERY_LENGTH},
            details={"field": "query"},
        )
    taken = Conflict(
        _("there is already a view %(slug)s; choose another name") % {"slug": slug}, details={"slug": slug}
    )
    with transaction.atomic():
        view = SavedView.objects.select_for_update().filter(slug=slug).first()
        if view is not None and view.user_id != person.pk:
            raise taken
        before = None if view is None else snapshot(view, _AUDITED)
        view = view or SavedView(slug=slug, user_id=person.pk)
        view.name, view.query, view.is_shared = name, kept, is_shared
        try:
            with transaction.atomic():
                view.save()
        except IntegrityError as error:
            raise taken from error
        record(action="update" if before else "create", instance=view, before=before, after=snapshot(view, _AUDITED))
    return view


def remove_view(*, user: Reader, slug: str) -> None:
    """Forget a view of one's own.

    :raises NotAuthenticated: for strangers.
    :raises NotFound: when ``user`` has none of that slug.
    """
    with transaction.atomic():
        own = _called(slug, user=user).filter(user_id=_person(user).pk)
        view = own.select_for_update().first()
        if view is None:
            raise NotFound(_("you have no view %(slug)r") % {"slug": slug}, details={"slug": slug})
        record(action="delete", instance=view, before=snapshot(view, _AUDITED))
        view.delete()


def opened(parameters: QueryDict, *, user: Reader) -> tuple[QueryDict, SavedView | None]:
    """``parameters`` with those of the view that they name by ``view``; what is given beside it counts instead.

    :raises NotFound: when there is no such view, or ``user`` may not open it.
    """
    slug = parameters.get("view", "").strip()
    if not slug:
        return parameters, None
    view = _called(slug, user=user).first()
    if view is None:
        raise NotFound(_("there is no saved view %(slug)r that you may open") % {"slug": slug}, details={"slug": slug})
    merged = QueryDict(view.query, mutable=True)
    for name, values in parameters.lists():
        if name != "view":
            merged.setlist(name, values)
    return merged, view


def _called(slug: str, *, user: Reader) -> QuerySet[SavedView]:
    """The view of that slug, if ``user`` may open it. Not every database can look for a null character."""
    visible = SavedView.objects.visible_to(user)
    return visible.none() if "\0" in slug else visible.filter(slug=slug)


def _kept(query: QueryDict) -> str:
    kept = query.copy()
    for name in list(kept):
        values = [value for value in kept.getlist(name) if value]
        if name in PASSING or not values:
            del kept[name]
        else:
            kept.setlist(name, values)
    return kept.urlencode()


def _person(user: Reader) -> AbstractBaseUser:
    if not isinstance(user, AbstractBaseUser) or not user.is_authenticated:
        raise NotAuthenticated(_("sign in to save a view: it is on your own page"))
    return user
