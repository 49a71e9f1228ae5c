"""The application for web servers that speak WSGI."""

import logging
import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "featurestore_site.settings")

application = get_wsgi_application()

for _warning in settings.FEATURESTORE.warnings:
    logging.getLogger(__name__).warning(_warning)
