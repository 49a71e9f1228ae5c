"""Every page of a catalog of 5,000 features in 500 groups: how long the server takes, how many queries and kilobytes.

``python -m benchmarks.pages`` makes a scratch store, asks every page as a viewer and as an administrator over Django's
test client, and fails when one takes longer, asks more or weighs more than is promised. ``--write`` puts the table into
docs/performance.md.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.machine import this_machine
from benchmarks.report import shown_seconds, table, write_between
from benchmarks.scratch_folder import folder_of_run
from benchmarks.search import start_django

PROJECT = Path(__file__).resolve().parents[1]
PAGE = PROJECT / "docs" / "performance.md"
MOST_QUERIES, MOST_KB = 15, 120

_FEATURE = "feature=customer_wide_000&group=customer_wide"
# Addresses by name; {run}, {before} and {dataset} are ids, the rest is made by benchmarks.pages_catalog.
PAGES: dict[str, tuple[str, ...]] = {
    "catalog:home": ("/",),
    "catalog:search": (
        "/search", "/search?layout=table", "/search?q=balance+mean", "/search?q=tag:risk+type:float+fresh:<7d",
        "/search?q=nothing_at_all_like_it", "/search?page=200",
    ),
    "catalog:compare": ("/compare?f=customer_wide_000&f=customer_wide_001&f=balance_mean&f=netpromoter_answer",),
    "catalog:me": ("/me/",),
    "catalog:feature": ("/features/customer_wide_000/?group=customer_wide",),
    "catalog:group-list": ("/groups/", "/groups/?page=2"),
    "catalog:group": ("/groups/customer_wide/", "/groups/customer_group_00/"),
    "catalog:service-list": ("/services/",),
    "catalog:service": ("/services/service_000/",),
    "catalog:lineage": ("/lineage/", f"/lineage/?{_FEATURE}", "/lineage/?node=source_table:customer_wide"),
    "ingestion:quality": ("/quality/",),
    "ingestion:run-list": ("/runs/", "/runs/?group=customer_wide"),
    "ingestion:run": ("/runs/{run}/",),
    "ingestion:run-compare": ("/runs/compare/?run={run}&run={before}",),
    "serving:dataset-list": ("/datasets/",),
    "serving:dataset": ("/datasets/{dataset}/",),
    "serving:api-guide": ("/api-guide/",),
    "serving:entity-lookup": ("/entities/",),
    "serving:entity-lookup-of": ("/entities/customer/?key=17&purpose=benchmark",),
    "serving:entity-value": ("/features/customer_wide_000/entity/?group=customer_wide&key=17&purpose=benchmark",),
    "serving:my-tokens": ("/me/tokens/",),
}  # fmt: skip
# Lists and one form of the administration, for the administrator only; they ask as often as the admin of Django does.
ADMIN = (
    "/admin/",
    "/admin/catalog/feature/",
    "/admin/catalog/feature/?q=balance",
    "/admin/catalog/feature/{feature}/change/",
    "/admin/catalog/featuregroup/",
    "/admin/catalog/featureversion/",
    "/admin/catalog/featureprofile/",
    "/admin/catalog/auditevent/",
    "/admin/ingestion/ingestionrun/",
    "/admin/ingestion/validationreport/",
    "/admin/ingestion/ruleresult/",
    "/admin/serving/featureusage/",
)


@dataclass(frozen=True)
class Asked:
    """One page as one person: seconds of the first answer after a change of the catalog, and of those after it.

    ``processor`` are the seconds that the process computed for each: other work on the machine hardly changes them.
    """

    address: str
    person: str
    status: int
    queries: int
    size: int
    first: float
    seconds: list[float]
    processor: list[float]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def p95(self) -> float:
        return statistics.quantiles(self.seconds, n=20, method="inclusive")[18]

    def is_kept(self, most: float) -> bool:
        """Whether it keeps what is promised of pages, ``most`` being milliseconds."""
        small = self.address.startswith("/admin/") or (self.queries <= MOST_QUERIES and self.size <= MOST_KB * 1024)
        return self.status == 200 and small and self.p95 * 1000 <= most


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--features", type=int, default=5_000)
    parser.add_argument("--days", type=int, default=30, help="days of profiles, runs, checks and reads")
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--most", type=float, default=300.0, help="95th percentile allowed, milliseconds")
    parser.add_argument("--only", nargs="*", default=[], help="beginnings of addresses")
    parser.add_argument("--folder", type=Path, help="keep the store there for the next run")
    parser.add_argument("--write", action="store_true", help=f"put the table into {PAGE.relative_to(PROJECT)}")
    return parser.parse_args()


def main() -> int:
    asked = arguments()
    with folder_of_run(asked.folder) as folder:
        start_django(folder, None)
        return run(asked, folder)


def run(asked: argparse.Namespace, folder: Path) -> int:
    from django.core.management import call_command  # noqa: PLC0415  (the settings must be in force)

    done = folder / "filled"
    if not done.exists():
        call_command("migrate", verbosity=0)
        started = time.perf_counter()
        import_module("benchmarks.pages_catalog").fill(features=asked.features, days=asked.days)
        print(f"{asked.features:,} features stored in {shown_seconds(time.perf_counter() - started)}")
        done.touch()
    measured = list(import_module("benchmarks.pages_asked").asked_of_all(asked.repeats, tuple(asked.only)))
    text = told(measured)
    print(text)
    if asked.write:
        write_between(PAGE, name="pages", text=text)
    wrong = [f"{one.address} as {one.person}" for one in measured if not one.is_kept(asked.most)]
    print("\nall keep what is promised" if not wrong else "\nnot kept: " + "; ".join(wrong))
    return 1 if wrong else 0


def told(measured: list[Any]) -> str:
    """The table with the machine it was measured on."""
    machine = this_machine()
    rows = [
        [
            f"`{one.address.split('&purpose')[0]}`", one.person, str(one.queries), f"{one.size / 1024:.0f}",
            *(shown_seconds(seconds) for seconds in (one.first, statistics.median(one.processor), one.median, one.p95)),
        ]
        for one in measured
    ]  # fmt: skip
    heading = ["page", "as", "queries", "KB", "first after a change", "processor", "median", "p95"]
    return f"{machine}{' (others used it too)' if machine.busy else ''}\n\n{table(heading, rows)}"


if __name__ == "__main__":
    sys.exit(main())
