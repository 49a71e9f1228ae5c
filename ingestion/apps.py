from django.apps import AppConfig
from django.utils.module_loading import import_string


class IngestionConfig(AppConfig):
    name = "ingestion"
    verbose_name = "Ingestion"

    def ready(self) -> None:
        # The panels need the models, which are there only now.
        import_string("ingestion.panels.register_panels")()
