"""Finding features: by exact name first, then beginnings, words of the name, tags, descriptions.

An index in the memory of each process finds and counts (``index``, ``segment``); the database decides who sees what
and tells what is shown. docs/adr/0012 says why.
"""

from catalog.search.criteria import Bound, Choice, Criteria, Restriction
from catalog.search.finding import FACETS, FoundFeatures, Relaxation, find_features
from catalog.search.index import indexer

__all__ = [
    "FACETS",
    "Bound",
    "Choice",
    "Criteria",
    "FoundFeatures",
    "Relaxation",
    "Restriction",
    "find_features",
    "indexer",
]
