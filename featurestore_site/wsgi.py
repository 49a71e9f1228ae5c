"""The application for web servers that speak WSGI."""

import gc
import logging
import os

import django
from django.conf import settings
from django.utils.module_loading import import_string

from featurestore_site.between_requests import attend_to_one_database

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "featurestore_site.settings")

django.setup(set_prefix=False)
# Its middleware needs the applications, which are there only now.
application = import_string("featurestore_site.handler.Application")()
attend_to_one_database()

for _warning in settings.FEATURESTORE.warnings:
    logging.getLogger(__name__).warning(_warning)

# What is there now stays: the collector need not look through it again between two requests.
gc.collect()
gc.freeze()
# A request leaves a few objects that only the collector clears away: not after every second one.
gc.set_threshold(10_000)

# It needs the models, which are there only now.
import_string("catalog.search.warming.warm_in_background")()
