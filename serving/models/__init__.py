from serving.models.dataset import DatasetState, TrainingDataset
from serving.models.token import ApiToken, Scope
from serving.models.usage import FeatureUsage, FoldedLog, LatencyBucket
from serving.models.value import FeatureValue, MaterializedTable, OnlineRevision

__all__ = [
    "ApiToken",
    "DatasetState",
    "FeatureUsage",
    "FeatureValue",
    "FoldedLog",
    "LatencyBucket",
    "MaterializedTable",
    "OnlineRevision",
    "Scope",
    "TrainingDataset",
]
