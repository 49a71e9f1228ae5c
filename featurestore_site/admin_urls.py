"""The administration, with the admin classes of all apps, which nobody but its pages needs."""

from __future__ import annotations

from django.contrib import admin

admin.autodiscover()

urlpatterns = admin.site.get_urls()
