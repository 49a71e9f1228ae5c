"""``metadata/journal``: notes and incidents are listed, written and closed."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters
from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from catalog.access import Capability
from catalog.api.filtering import StrictFilterBackend, refuse_unknown_parameters
from catalog.api.journal_serializers import JournalEntrySerializer, NewEntrySerializer
from catalog.api.named import named_or_nearest
from catalog.errors import NotFound
from catalog.filters import AnyOf, YesOrNo
from catalog.journal import close_incident, write_entry
from catalog.models import EntryKind, Feature, FeatureGroup, JournalEntry
from catalog.references import resolve_references


class JournalFilter(django_filters.FilterSet):
    feature = AnyOf(field_name="feature__name", label="Feature")
    group = AnyOf(field_name="group__name", label="Feature group, for entries on the group itself")
    about = django_filters.CharFilter(method="of_feature", label="Feature reference: entries on it and on its group")
    kind = AnyOf(field_name="kind", known=EntryKind.values, label="note or incident")
    open = YesOrNo(method="of_openness", label="Incidents that nobody has closed, or all others")

    class Meta:
        model = JournalEntry
        fields: ClassVar = ["feature", "group", "kind"]

    def of_feature(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:  # noqa: ARG002
        feature = resolve_references([value], user=self.request.user)[0].version.feature
        return queryset.filter(Q(feature=feature) | Q(group=feature.group_id))

    def of_openness(self, queryset: QuerySet[Any], name: str, value: bool) -> QuerySet[Any]:  # noqa: ARG002
        still = {"kind": EntryKind.INCIDENT, "closed_at__isnull": True}
        return queryset.filter(**still) if value else queryset.exclude(**still)


@extend_schema_view(
    list=extend_schema(operation_id="list_journal", summary="Notes and incidents, newest first"),
    retrieve=extend_schema(operation_id="get_journal_entry", summary="One entry of the journal"),
    create=extend_schema(
        operation_id="write_journal_entry",
        summary="Write a note, or open an incident",
        description="Needs the capability write_journal.",
        request=NewEntrySerializer,
        responses={201: JournalEntrySerializer},
    ),
)
class JournalViewSet(GenericViewSet[JournalEntry]):
    lookup_value_regex = r"\d{1,18}"
    serializer_class = JournalEntrySerializer
    filterset_class = JournalFilter
    filter_backends = (StrictFilterBackend,)
    required_capability: ClassVar = {
        None: Capability.SEE_METADATA,
        "list": Capability.SEE_METADATA,
        "retrieve": Capability.SEE_METADATA,
        "create": Capability.WRITE_JOURNAL,
        "close": Capability.WRITE_JOURNAL,
    }
    queryset = JournalEntry.objects.none()

    def get_queryset(self) -> QuerySet[JournalEntry]:
        entries: QuerySet[JournalEntry] = JournalEntry.objects.visible_to(self.request.user)
        return entries.select_related("feature__group", "group").order_by("-at", "-id")

    def list(self, request: Request) -> Response:  # noqa: ARG002  (the framework's signature)
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def retrieve(self, request: Request, pk: str) -> Response:
        refuse_unknown_parameters(request, ())
        return Response(self.get_serializer(self._entry(pk)).data)

    def create(self, request: Request) -> Response:
        body = NewEntrySerializer(data=request.data)
        body.is_valid(raise_exception=True)
        sent = dict(body.validated_data)
        subject: Feature | FeatureGroup
        if "feature" in sent:
            subject = resolve_references([sent.pop("feature")], user=request.user)[0].version.feature
        else:
            groups = FeatureGroup.objects.visible_to(request.user)
            subject = named_or_nearest(groups, sent.pop("group"), what="feature group")
        made = write_entry(subject=subject, writer=request.user, **sent)
        return Response(self.get_serializer(self._entry(str(made.pk))).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        operation_id="close_incident",
        summary="Say that an incident is over",
        description="For the one who wrote it, and with the capability edit_catalog.",
        request=None,
        responses=JournalEntrySerializer,
        filters=False,
    )
    @action(detail=True, methods=["post"], filter_backends=[], pagination_class=None)
    def close(self, request: Request, pk: str) -> Response:
        close_incident(entry=self._entry(pk), closer=request.user)
        return Response(self.get_serializer(self._entry(pk)).data)

    def _entry(self, pk: str) -> JournalEntry:
        found = self.get_queryset().filter(pk=pk).first()
        if found is None:
            raise NotFound(f"the journal has no entry {pk}", details={"id": pk})
        return found
