"""Python SDK of the feature store: features for serving and for training, as typed results and pandas frames."""

from feature_store_client.catalog_results import FeatureInfo, Health, Lineage, LineageEdge, LineageNode
from feature_store_client.client import FeatureStoreClient
from feature_store_client.dataset_results import DatasetVerification, DifferingCell, TrainingDataset
from feature_store_client.errors import (
    AuthenticationError,
    ConflictError,
    EntityNotFoundError,
    FeatureNotFoundError,
    FeatureStoreClientError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    RequestTooLargeError,
    RunFailedError,
    RunTimeoutError,
    ServerError,
    ServerUnavailableError,
    UnexpectedResponseError,
)
from feature_store_client.explanations import ExplainedRow, Explanation
from feature_store_client.instants import TimestampRange
from feature_store_client.results import FeatureStatus, FeatureValue, FeatureVector, ValueMetadata
from feature_store_client.retrying import RetryPolicy
from feature_store_client.runs import Run, Validation
from feature_store_client.version import __version__

__all__ = [
    "AuthenticationError",
    "ConflictError",
    "DatasetVerification",
    "DifferingCell",
    "EntityNotFoundError",
    "ExplainedRow",
    "Explanation",
    "FeatureInfo",
    "FeatureNotFoundError",
    "FeatureStatus",
    "FeatureStoreClient",
    "FeatureStoreClientError",
    "FeatureValue",
    "FeatureVector",
    "Health",
    "InvalidRequestError",
    "Lineage",
    "LineageEdge",
    "LineageNode",
    "NotFoundError",
    "PermissionDeniedError",
    "RateLimitedError",
    "RequestTooLargeError",
    "RetryPolicy",
    "Run",
    "RunFailedError",
    "RunTimeoutError",
    "ServerError",
    "ServerUnavailableError",
    "TimestampRange",
    "TrainingDataset",
    "UnexpectedResponseError",
    "Validation",
    "ValueMetadata",
    "__version__",
]
