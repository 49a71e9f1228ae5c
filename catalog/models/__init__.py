from catalog.models.audit import AuditEvent
from catalog.models.entity import Entity
from catalog.models.feature import Feature
from catalog.models.feature_request import FeatureRequest, RequestState
from catalog.models.fields import Status
from catalog.models.follow import Follow
from catalog.models.grant import ValueGrant
from catalog.models.group import FeatureGroup
from catalog.models.journal import EntryKind, JournalEntry
from catalog.models.lineage import LineageEdge, LineageNode, NodeKind
from catalog.models.profile import FeatureProfile
from catalog.models.saved_view import SavedView
from catalog.models.search_change import SearchChange
from catalog.models.service import FeatureService, FeatureServiceMember
from catalog.models.tag import Tag
from catalog.models.version import FeatureVersion

__all__ = [
    "AuditEvent",
    "Entity",
    "EntryKind",
    "Feature",
    "FeatureGroup",
    "FeatureProfile",
    "FeatureRequest",
    "FeatureService",
    "FeatureServiceMember",
    "FeatureVersion",
    "Follow",
    "JournalEntry",
    "LineageEdge",
    "LineageNode",
    "NodeKind",
    "RequestState",
    "SavedView",
    "SearchChange",
    "Status",
    "Tag",
    "ValueGrant",
]
