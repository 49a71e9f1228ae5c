"""Makes the pictures of README and docs/tour.md anew, from a store that quickstart has made:

    python docs/screenshots.py --store FOLDER

The store in FOLDER is made when it is not there. Needs the packages of ``[test]`` and Chromium.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import Page, sync_playwright

PROJECT = Path(__file__).resolve().parents[1]
IMAGES = PROJECT / "docs" / "images"
LARGEST = 250 * 1024
PASSWORD = "for the pictures"

# Name of the picture, address, and how much of the page it shows: so many pixels from the top, or from an element.
PICTURES = (
    ("home", "/", 900, None),
    ("search", "/search?q=balanse", 820, None),
    ("feature", "/features/balance_mean/?group=customer_financial", 1000, None),
    ("profile", "/features/merchant_average_ticket/?group=merchant_settlements&against=first", 900, "#profile"),
    ("lineage", "/lineage/?feature=balance_to_salary_ratio&group=customer_derived", 800, None),
    ("quality", "/quality/", 900, None),
    ("entity", "/entities/customer/?key=15634602&purpose=a+question+of+the+customer", 900, None),
    ("group", "/groups/customer_financial/", 900, None),
    ("runs", "/runs/", 800, None),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", type=Path, required=True, help="folder of the store")
    parser.add_argument("--images", type=Path, default=IMAGES, help="where the pictures go")
    parser.add_argument("--only", nargs="*", default=[], help="names of pictures")
    parser.add_argument("--chromium", default="/usr/bin/chromium", help="the browser (%(default)s)")
    options = parser.parse_args()
    environment = {
        **os.environ,
        "FEATURESTORE_DATA_DIR": str(options.store / "data"),
        "FEATURESTORE_LOGS_DIR": str(options.store / "logs"),
        "FEATURESTORE_REPORTS_DIR": str(options.store / "reports"),
    }
    manage(environment, "quickstart", "--no-serve", "--password", PASSWORD)
    manage(environment, "shell", "-c", _RENEW)
    with served(environment) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=options.chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme="light")
        sign_in(page, address)
        for name, path, height, start in PICTURES:
            if not options.only or name in options.only:
                picture(page, address + path, to=options.images / f"{name}.png", height=height, start=start)
        browser.close()


# The administrator of a store that was there before has a password of its own.
_RENEW = f"""
from django.contrib.auth.models import User
user = User.objects.get(username="admin")
user.set_password({PASSWORD!r})
user.save()
"""


def manage(environment: dict[str, str], *arguments: str) -> None:
    subprocess.run([sys.executable, "manage.py", *arguments], cwd=PROJECT, env=environment, check=True)


@contextmanager
def served(environment: dict[str, str]) -> Iterator[str]:
    """The address of the store, served for as long as the block runs."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "manage.py", "serve", "--no-worker", "--port", str(port)]
    process = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                urlopen(f"{address}/api/v1/health", timeout=5).close()
                break
            except (URLError, ConnectionError):
                time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=30)


def sign_in(page: Page, address: str) -> None:
    page.goto(f"{address}/login")
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/login" not in url)


def picture(page: Page, url: str, *, to: Path, height: int, start: str | None) -> None:
    answer = page.goto(url)
    assert answer is not None
    assert answer.status == 200, f"{url} answers {answer.status}"
    top = 0.0
    if start is not None:
        box = page.locator(start).first.bounding_box()
        assert box is not None, f"{url} has no {start}"
        top = max(0.0, box["y"] - 24)
    whole = page.evaluate("document.documentElement.scrollHeight")
    page.screenshot(path=to, full_page=True, clip={"x": 0, "y": top, "width": 1280, "height": min(height, whole - top)})
    size = to.stat().st_size
    assert size <= LARGEST, f"{to} has {size} bytes"
    sys.stdout.write(f"{to.name}: {size // 1024} KB\n")


if __name__ == "__main__":
    main()
