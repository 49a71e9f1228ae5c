"""Who may open a page: strangers are asked to sign in, the others need the capability."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, QueryDict

from catalog.access import Capability, may
from catalog.errors import InvalidInput, PermissionDenied
from catalog.wording import gettext as _

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def page(capability: Capability = Capability.SEE_METADATA) -> Callable[[View[P]], View[P]]:
    """The page is for those with ``capability``: others sign in first, or are told that they may not.

    :raises PermissionDenied: when the one who is signed in lacks it.
    :raises InvalidInput: when the address or the form holds a null character.
    """

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            _refuse_unreadable(request, kwargs)
            if may(request.user, capability):
                return view(request, *args, **kwargs)
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path() if request.method == "GET" else "/")
            raise PermissionDenied(
                _("this needs the capability %(value)s, which the roles of %(user)s do not give")
                % {"value": capability.value, "user": request.user.get_username()}
            )

        return guarded

    return decorate


def _refuse_unreadable(request: HttpRequest, parts: Mapping[str, object]) -> None:
    """Not every database can even look for a text with a null character, or keep one."""
    texts = [str(part) for part in parts.values()]
    for place, given in ((_("address"), [*texts, *_texts(request.GET)]), (_("form"), _texts(request.POST))):
        if any("\0" in text for text in given):
            raise InvalidInput(_("the %(place)s holds a null character") % {"place": place})


def _texts(query: QueryDict) -> list[str]:
    return [text for _, values in query.lists() for text in values]
