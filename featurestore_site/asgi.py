"""The application for web servers that speak ASGI."""

import logging
import os

from django.conf import settings
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "featurestore_site.settings")

application = get_asgi_application()

for _warning in settings.FEATURESTORE.warnings:
    logging.getLogger(__name__).warning(_warning)
