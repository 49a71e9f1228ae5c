from serving.models.token import ApiToken, Scope
from serving.models.usage import FeatureUsage, FoldedLog, LatencyBucket
from serving.models.value import FeatureValue, MaterializedTable

__all__ = ["ApiToken", "FeatureUsage", "FeatureValue", "FoldedLog", "LatencyBucket", "MaterializedTable", "Scope"]
