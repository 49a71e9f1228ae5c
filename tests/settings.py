"""The product's own settings, over a data folder that the test run makes and removes."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

_kept = ("FEATURESTORE_REQUIRE_SERVICES", "FEATURESTORE_TEST_")
for _name in [name for name in os.environ if name.startswith("FEATURESTORE_") and not name.startswith(_kept)]:
    del os.environ[_name]
_folder = tempfile.mkdtemp(prefix="featurestore-tests-")
atexit.register(shutil.rmtree, _folder, ignore_errors=True)
os.environ["FEATURESTORE_DATA_DIR"] = _folder
os.environ["FEATURESTORE_SECRET_KEY"] = "only-for-tests-" + "x" * 40

from featurestore_site.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LOGGING = {"version": 1, "disable_existing_loggers": False}
CELERY_TASK_ALWAYS_EAGER = False
CELERY_BROKER_URL = "memory://"
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object] = {}
# What one test counted is no answer for the next.
CACHES = {**CACHES, "answers": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}  # noqa: F405
