"""A seeded catalog as large companies have them: features with names, tags, descriptions, owners and profiles."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

ENTITIES = ("customer", "account", "card", "merchant", "device", "product", "branch", "session")
SUBJECTS = (
    "balance", "transaction", "payment", "deposit", "withdrawal", "transfer", "refund", "chargeback", "login",
    "session", "click", "view", "order", "basket", "invoice", "credit_score", "credit_limit", "loan", "interest",
    "fee", "income", "salary", "rent", "savings", "spending", "debt", "overdraft", "dispute", "complaint", "call",
    "email", "visit", "search", "rating", "review", "delivery", "return", "coupon", "discount", "subscription",
    "churn", "tenure", "age", "risk", "fraud_score", "distance", "latency", "battery", "signal", "temperature",
    "stock", "price", "margin", "supplier",
)  # fmt: skip
MEASURES = ("amount", "count", "value", "rate", "share", "duration", "gap", "level")
AGGREGATIONS = ("mean", "sum", "max", "min", "std", "last", "first", "median", "trend", "distinct")
WINDOWS = ("1d", "7d", "14d", "30d", "60d", "90d", "180d", "365d", "lifetime")
QUALIFIERS = (
    "online", "offline", "weekend", "night", "abroad", "mobile", "web", "branch", "recurring", "failed", "large",
    "small", "new", "returning", "premium", "business", "private", "domestic", "card_present", "contactless",
)  # fmt: skip
TAGS = (
    "financial", "risk", "fraud", "marketing", "churn", "pricing", "operations", "behaviour", "demographic",
    "realtime", "daily", "weekly", "legacy", "pii", "audited", "regulatory", "numeric", "categorical", "derived",
    "raw",
)  # fmt: skip
OWNERS = tuple(f"{team} team" for team in ("risk", "fraud", "growth", "pricing", "payments", "platform", "crm", "ops"))
DATA_TYPES = ("float", "float", "float", "integer", "integer", "boolean", "string", "timestamp")
GROUPS_PER_ENTITY = 60
AT = datetime(2025, 6, 1, tzinfo=UTC)


@dataclass(frozen=True)
class MadeFeature:
    """One feature to be stored."""

    entity: str
    group: int
    name: str
    description: str
    owner: str
    tags: tuple[str, ...]
    data_type: str
    tier: str
    status: str
    null_share: float
    newest_event: datetime


def made_features(count: int, *, seed: int = 7) -> Iterator[MadeFeature]:
    """``count`` features with different names within each entity, the same for the same seed."""
    draw = random.Random(seed)
    taken: set[tuple[str, str]] = set()
    while len(taken) < count:
        entity = draw.choice(ENTITIES)
        subject, measure, how, window = (draw.choice(some) for some in (SUBJECTS, MEASURES, AGGREGATIONS, WINDOWS))
        qualifier = draw.choice(QUALIFIERS) if draw.random() < 0.8 else ""
        name = "_".join(part for part in (subject, qualifier, measure, how, window) if part)
        if (entity, name) in taken:
            continue
        taken.add((entity, name))
        words = {"1d": "last day", "lifetime": "whole lifetime"}.get(window, f"last {window[:-1]} days")
        yield MadeFeature(
            entity=entity,
            group=draw.randrange(GROUPS_PER_ENTITY),
            name=name,
            description=(
                f"{how.capitalize()} {measure} of {qualifier.replace('_', ' ')} {subject.replace('_', ' ')} of the "
                f"{entity} over the {words}, computed from the {draw.choice(TAGS)} events of the warehouse."
            ).replace("  ", " "),
            owner=draw.choice(OWNERS) if draw.random() < 0.3 else "",
            tags=tuple(sorted(set(draw.choices(TAGS, k=draw.randint(1, 4))))),
            data_type=draw.choice(DATA_TYPES),
            tier=draw.choices(("standard", "certified", "experimental"), (80, 8, 12))[0],
            status=draw.choices(("active", "deprecated", "archived"), (92, 5, 3))[0],
            null_share=round(draw.random() ** 6, 4),
            newest_event=AT - timedelta(hours=draw.expovariate(1 / 60)),
        )


# (query, what its first hit must be, by name); the pairs hold whatever else is in the catalog.
EXPECTED = (
    ("balance_mean", "balance_mean"),
    ("customer_balance_mean_v1", "balance_mean"),
    ("BALANCE-MEAN", "balance_mean"),
    ("balanceMean", "balance_mean"),
    ("balance_maen", "balance_mean"),
    ("blance mean", "balance_mean"),
    ("mean balance", "balance_mean"),
    ("mean of the balance", "balance_mean"),
    ("days_since_last_login", "days_since_last_login"),
    ("days since login", "days_since_last_login"),
    ("days sinse last loggin", "days_since_last_login"),
    ("when did they log in last", "days_since_last_login"),
    ("netpromoter", "netpromoter_answer"),
    ("promoter answer", "netpromoter_answer"),
    ("netpromotor anwser", "netpromoter_answer"),
    ("tag:unusual", "netpromoter_answer"),
    ("answer tier:certified", "netpromoter_answer"),
    ("balance_mean xylophone", "balance_mean"),
    ("entity:customer type:float balance_mean", "balance_mean"),
    ("loyalty questionnaire", "netpromoter_answer"),
)
# What the pairs above are about, stored beside the drawn ones.
KNOWN = (
    MadeFeature("customer", 0, "balance_mean", "Mean balance.", "risk team", ("financial",), "float", "standard",
                "active", 0.0, AT),
    MadeFeature("customer", 1, "days_since_last_login", "How long ago they did log in the last time.", "", ("daily",),
                "integer", "standard", "active", 0.0, AT),
    MadeFeature("customer", 2, "netpromoter_answer", "Answer to the loyalty questionnaire.", "crm team", ("unusual",),
                "integer", "certified", "active", 0.2, AT),
)  # fmt: skip


def drawn_queries(features: list[MadeFeature], count: int, *, seed: int = 11) -> list[tuple[str, str]]:
    """``count`` searches with their kind, as people type them: names, beginnings, slips, words, tokens, filters."""
    draw = random.Random(seed)
    queries = []
    for number in range(count):
        feature = draw.choice(features)
        parts = feature.name.split("_")
        kind = ("exact", "beginning", "misspelt", "words", "sentence", "tokens", "one word", "no word")[number % 8]
        text = {
            "exact": feature.name,
            "beginning": feature.name[: draw.randint(3, 9)],
            "misspelt": " ".join(_misspelt(part, draw) for part in parts[:3]),
            "words": " ".join(draw.sample(parts, min(3, len(parts)))),
            "sentence": " ".join(feature.description.lower().split()[: draw.randint(4, 8)]),
            "tokens": f"{parts[0]} tag:{feature.tags[0]} tier:standard fresh:<7d null:<10%",
            "one word": draw.choice(parts),
            "no word": f"entity:{feature.entity} type:{feature.data_type}",
        }[kind]
        queries.append((kind, text))
    return queries


def _misspelt(word: str, draw: random.Random) -> str:
    if len(word) < 5:
        return word
    at = draw.randrange(1, len(word) - 1)
    slip = draw.randrange(3)
    if slip == 0:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return word[:at] + word[at + 1 :] if slip == 1 else word[:at] + draw.choice("aeioutrn") + word[at:]
