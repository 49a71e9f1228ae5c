from django.apps import AppConfig


class FeatureStoreSiteConfig(AppConfig):
    name = "featurestore_site"
    verbose_name = "Feature store"
