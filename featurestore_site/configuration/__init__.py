"""The configuration: ``config_step7.yaml`` and the environment as one typed object."""

from featurestore_site.configuration.configuration import Configuration
from featurestore_site.configuration.loading import load_configuration

__all__ = ["Configuration", "load_configuration"]
