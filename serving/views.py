"""The page of one's own API tokens."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from django import forms
from django.contrib import messages
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.views import redirect_to_login
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from catalog.access import Capability
from catalog.clock import now
from catalog.errors import InvalidInput, NotFound
from catalog.twins import list_twin
from catalog.views.access import page
from serving.models import ApiToken, Scope
from serving.tokens import IssuedToken, issue_token, revoke_token, tokens_of

PAGE_SIZE = 25
USUAL_LIFE = timedelta(days=90)


class TokenRequest(forms.Form):
    """What a person says of a new token of theirs."""

    name = forms.CharField(max_length=100)
    scopes = forms.MultipleChoiceField(choices=Scope.choices, initial=[Scope.READ.value])
    last_day = forms.DateField(required=False)

    def clean_last_day(self) -> date | None:
        last_day: date | None = self.cleaned_data["last_day"]
        if last_day is not None and last_day < now().date():
            raise forms.ValidationError(_("That day is past; choose another, or leave it empty for no end."))
        return last_day

    def expires_at(self) -> datetime | None:
        """The last microsecond of the last day, UTC."""
        last_day: date | None = self.cleaned_data["last_day"]
        return None if last_day is None else datetime.combine(last_day, time.max, tzinfo=UTC)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@page(Capability.SEE_METADATA)
def my_tokens(request: HttpRequest) -> HttpResponse:
    """One's own tokens; posting makes a new one, whose key only this one answer shows."""
    user = _person(request)
    if user is None:
        return redirect_to_login(reverse("serving:my-tokens"))
    if request.method != "POST":
        form = TokenRequest(initial={"last_day": (now() + USUAL_LIFE).date()})
        return _tokens_page(request, user, form)
    form = TokenRequest(request.POST)
    if not form.is_valid():
        return _tokens_page(request, user, form, status=400)
    try:
        issued = issue_token(
            user=user,
            name=form.cleaned_data["name"],
            scopes=form.cleaned_data["scopes"],
            expires_at=form.expires_at(),
        )
    except InvalidInput as error:
        form.add_error(None, error.message)
        return _tokens_page(request, user, form, status=400)
    fresh = TokenRequest(initial={"last_day": (now() + USUAL_LIFE).date()})
    return _tokens_page(request, user, fresh, issued=issued)


@require_POST
@page(Capability.SEE_METADATA)
def revoke_my_token(request: HttpRequest, token_id: int) -> HttpResponse:
    """End one of one's own tokens; those of others are not found."""
    user = _person(request)
    if user is None:
        return redirect_to_login(reverse("serving:my-tokens"))
    token = ApiToken.objects.filter(user_id=user.pk, pk=token_id).first()
    if token is None:
        raise NotFound(_("you have no such token"))
    if revoke_token(token):
        messages.success(request, _("The token %s is revoked: its key opens nothing any more.") % token.name)
    else:
        messages.info(request, _("The token %s was revoked before.") % token.name)
    return redirect("serving:my-tokens")


def _person(request: HttpRequest) -> AbstractBaseUser | None:
    """Who is signed in; strangers may look around where the configuration lets them, but own no tokens."""
    return request.user if isinstance(request.user, AbstractBaseUser) else None


def _tokens_page(
    request: HttpRequest,
    user: AbstractBaseUser,
    form: TokenRequest,
    *,
    issued: IssuedToken | None = None,
    status: int = 200,
) -> HttpResponse:
    shown = Paginator(tokens_of(user), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page": shown,
        "json_url": list_twin("own-token-list", shown),
        "form": form,
        "chosen_scopes": form["scopes"].value() or [],
        "issued": issued,
        "present": now(),
        "example_url": request.build_absolute_uri("/api/v1/metadata/features"),
    }
    return render(request, "serving/my_tokens.html", context, status=status)
