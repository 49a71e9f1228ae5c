"""``metadata/lineage``: what the lineage page shows, around a feature or any other node."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.access import Capability
from catalog.api.filtering import refuse_unknown_parameters
from catalog.api.lineage_serializers import LineageEdgeSerializer, LineageNodeSerializer
from catalog.clock import now
from catalog.errors import InvalidInput
from catalog.lineage_map.gathering import Gathered, gather, require_known
from catalog.lineage_map.impact import Affected, impact
from catalog.lineage_map.question import DEEPEST_SIDE, DEFAULT_DOWN, DEFAULT_UP, PARAMETERS, read_question
from catalog.models import NodeKind

QUESTION = [
    OpenApiParameter("feature", str, description="Name of the feature that it is about."),
    OpenApiParameter("group", str, description="Its group, where several entities have a feature of that name."),
    OpenApiParameter("node", str, description="Instead of a feature any node, written `kind:name`."),
    OpenApiParameter("up", int, default=DEFAULT_UP, description=f"Steps to what it is made from, 0 to {DEEPEST_SIDE}."),
    OpenApiParameter(
        "down", int, default=DEFAULT_DOWN, description=f"Steps to what is made from it, 0 to {DEEPEST_SIDE}."
    ),
    OpenApiParameter("depth", int, description="Both at once."),
    OpenApiParameter(
        "kind", str, enum=NodeKind.values, many=True, description="Only nodes of these kinds; ways through others stay."
    ),
    OpenApiParameter("only", str, enum=["failing"], description="Only what leads to something failing or late."),
    OpenApiParameter("expand", str, many=True, description="What the page has opened; it changes nothing here."),
]


class MappedNodeSerializer(LineageNodeSerializer):
    """A node with what is wrong with it and how much it is read."""

    is_focus = serializers.BooleanField(help_text="Whether the lineage is about it.")
    state = serializers.CharField(help_text="failing, late, deprecated, or empty where nothing is known against it.")
    reason = serializers.CharField(help_text="Why it is so.")
    reads = serializers.IntegerField(allow_null=True, help_text="Reads in 30 days; null where none are counted.")
    callers = serializers.IntegerField(allow_null=True)


class AffectedSerializer(serializers.Serializer[Affected]):
    """Something that is affected when what the lineage is about breaks."""

    id = serializers.CharField(source="node.id")
    kind = serializers.ChoiceField(choices=NodeKind.choices, source="node.kind")
    name = serializers.CharField(source="node.name")
    steps = serializers.IntegerField()
    through = serializers.IntegerField(help_text="How many affected features lead to it.")
    reads = serializers.IntegerField(
        allow_null=True, help_text="Reads in 30 days: of a feature its own, of others those of its affected features."
    )
    callers = serializers.IntegerField(allow_null=True)
    state = serializers.CharField()
    reason = serializers.CharField()
    owner = serializers.CharField()


class LineageMapSerializer(serializers.Serializer[Any]):
    """The lineage around one thing, whole: nothing is collapsed here."""

    subject = serializers.CharField()
    kind = serializers.CharField()
    as_of = serializers.DateTimeField()
    nodes = MappedNodeSerializer(many=True)
    edges = LineageEdgeSerializer(many=True)
    impact = AffectedSerializer(many=True, help_text="What is downstream, the most read first.")
    truncated = serializers.BooleanField(help_text="Whether there is more than is told here.")


class LineageMapView(APIView):
    required_capability = Capability.SEE_METADATA

    @extend_schema(
        operation_id="get_lineage",
        summary="The lineage around a feature, a table, a service or a dataset, and who is affected when it breaks",
        parameters=QUESTION,
        responses=LineageMapSerializer,
    )
    def get(self, request: Request) -> Response:
        found = asked_lineage(request)
        told = {
            "subject": found.subject.title,
            "kind": found.subject.kind,
            "as_of": now(),
            "nodes": [_node(node, found) for node in found.graph.nodes],
            "edges": found.graph.edges,
            "impact": impact(found),
            "truncated": found.graph.truncated,
        }
        return Response(LineageMapSerializer(told).data)


def asked_lineage(request: Request) -> Gathered:
    """The lineage that the query string asks for.

    :raises InvalidInput: when it names neither a feature nor a node, or anything that is not a parameter.
    """
    refuse_unknown_parameters(request, tuple(PARAMETERS))
    question = read_question(dict(request.query_params.lists()), kinds=NodeKind.values)
    if not question.feature and not question.node:
        raise InvalidInput("say what the lineage is about: feature= or node=kind:name", details={"field": "feature"})
    found = gather(question, user=request.user)
    require_known(found, question)
    return found


def _node(node: Any, found: Gathered) -> dict[str, Any]:
    facts = found.facts.get(node.id)
    return {
        "id": node.id,
        "kind": node.kind,
        "name": node.name,
        "description": node.description,
        "is_focus": node.id in found.focus,
        "state": "" if facts is None else facts.state.value,
        "reason": "" if facts is None else facts.reason,
        "reads": None if facts is None else facts.reads,
        "callers": None if facts is None else facts.callers,
    }
