from django.apps import AppConfig

from catalog.contributions import announce


class IngestionConfig(AppConfig):
    name = "ingestion"
    verbose_name = "Ingestion"

    def ready(self) -> None:
        announce("ingestion.panels.register_panels")
        announce("ingestion.lineage_facts.register_lineage_facts")
