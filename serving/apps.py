from django.apps import AppConfig

from catalog.contributions import announce


class ServingConfig(AppConfig):
    name = "serving"
    verbose_name = "Serving"

    def ready(self) -> None:
        announce("serving.panels.register_panels")
        announce("serving.lineage_facts.register_lineage_facts")
