"""Who read the values of features in the last 30 days, folded from the access log."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta

from django.db.models import Max, Sum

from catalog.access import Capability, Reader, may
from catalog.clock import now
from catalog.evidence import Caller
from catalog.models import FeatureVersion
from serving.models import FeatureUsage

DAYS = 30


def callers_of(versions: Sequence[FeatureVersion], user: Reader) -> Mapping[int, Sequence[Caller]]:
    """The callers of each feature, most reads first, by the id of the feature; who they are is for those who edit the
    catalog. One query."""
    since = (now() - timedelta(days=DAYS)).date()
    usage = FeatureUsage.objects.filter(feature__in={version.feature_id for version in versions}, day__gte=since)
    rows = usage.order_by().values("feature_id", "caller")
    counted = rows.annotate(online=Sum("online_reads"), historical=Sum("historical_reads"), last=Max("day"))
    names = may(user, Capability.EDIT_CATALOG)
    found: dict[int, list[Caller]] = defaultdict(list)
    for row in counted:
        name = str(row["caller"]) if names else ""
        found[row["feature_id"]].append(Caller(name, row["online"], row["historical"], row["last"]))
    for callers in found.values():
        callers.sort(key=lambda one: (-(one.online_reads + one.historical_reads), one.name))
    return found
