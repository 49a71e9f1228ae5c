from django.apps import AppConfig
from django.utils.module_loading import import_string


class ServingConfig(AppConfig):
    name = "serving"
    verbose_name = "Serving"

    def ready(self) -> None:
        # The panels need the models, which are there only now.
        import_string("serving.panels.register_panels")()
