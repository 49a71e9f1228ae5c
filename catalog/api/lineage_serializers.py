"""The form in which lineage is told."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from catalog.lineage import LineageGraph
from catalog.models import NodeKind


class LineageNodeSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    kind = serializers.ChoiceField(choices=NodeKind.choices)
    name = serializers.CharField()
    description = serializers.CharField()


class LineageEdgeSerializer(serializers.Serializer[Any]):
    """``target`` is made from ``source``; both are node ids."""

    source = serializers.CharField()  # type: ignore[assignment]  # declared fields do not stay attributes
    target = serializers.CharField()
    transformation = serializers.CharField()


class LineageSerializer(serializers.Serializer[LineageGraph]):
    """The graph around one feature."""

    feature = serializers.SerializerMethodField()
    nodes = LineageNodeSerializer(many=True)
    edges = LineageEdgeSerializer(many=True)
    truncated = serializers.BooleanField(help_text="Whether there is more than is told here.")

    def get_feature(self, graph: LineageGraph) -> str:  # noqa: ARG002  (the framework's signature)
        name: str = self.context["feature"]
        return name
