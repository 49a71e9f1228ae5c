"""The addresses of the pages of serving."""

from __future__ import annotations

from django.urls import path

from serving.views import my_tokens, revoke_my_token

app_name = "serving"

urlpatterns = [
    path("me/tokens/", my_tokens, name="my-tokens"),
    path("me/tokens/<int:token_id>/revoke", revoke_my_token, name="revoke-my-token"),
]
