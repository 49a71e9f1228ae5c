"""``metadata/me/tokens``: the caller's own tokens, without their keys, which nobody can read again."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from catalog.access import Capability
from catalog.api.filtering import PAGING, refuse_unknown_parameters
from catalog.clock import now
from catalog.errors import NotAuthenticated
from serving.models import ApiToken, Scope
from serving.tokens import tokens_of


class OwnTokenSerializer(serializers.Serializer[ApiToken]):
    """One token of the caller."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    prefix = serializers.CharField(help_text="How its key begins.")
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=Scope.choices))
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    revoked_at = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True)
    is_in_force = serializers.SerializerMethodField(help_text="Whether its key opens the API now.")

    def get_is_in_force(self, token: Any) -> bool:
        return token.revoked_at is None and (token.expires_at is None or token.expires_at > now())


@extend_schema_view(
    list=extend_schema(operation_id="list_my_tokens", summary="The caller's own tokens, those in force first")
)
class OwnTokenViewSet(GenericViewSet[ApiToken]):
    serializer_class = OwnTokenSerializer
    filter_backends = ()
    required_capability = Capability.SEE_METADATA
    queryset = ApiToken.objects.none()

    def get_queryset(self) -> QuerySet[ApiToken]:
        return tokens_of(self.request.user)

    def list(self, request: Request) -> Response:
        refuse_unknown_parameters(request, PAGING)
        if request.user.pk is None:
            raise NotAuthenticated("whoever has no name owns no tokens; send a token")
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)
