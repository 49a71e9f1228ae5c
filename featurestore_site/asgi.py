"""The application for web servers that speak ASGI."""

import logging
import os

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.utils.module_loading import import_string

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "featurestore_site.settings")

application = get_asgi_application()

for _warning in settings.FEATURESTORE.warnings:
    logging.getLogger(__name__).warning(_warning)

# It needs the models, which are there only now.
import_string("catalog.search.warming.warm_in_background")()
