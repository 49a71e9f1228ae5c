from catalog.models.audit import AuditEvent
from catalog.models.entity import Entity
from catalog.models.feature import Feature
from catalog.models.fields import Status
from catalog.models.grant import ValueGrant
from catalog.models.group import FeatureGroup
from catalog.models.lineage import LineageEdge, LineageNode, NodeKind
from catalog.models.profile import FeatureProfile
from catalog.models.service import FeatureService, FeatureServiceMember
from catalog.models.tag import Tag
from catalog.models.version import FeatureVersion

__all__ = [
    "AuditEvent",
    "Entity",
    "Feature",
    "FeatureGroup",
    "FeatureProfile",
    "FeatureService",
    "FeatureServiceMember",
    "FeatureVersion",
    "LineageEdge",
    "LineageNode",
    "NodeKind",
    "Status",
    "Tag",
    "ValueGrant",
]
