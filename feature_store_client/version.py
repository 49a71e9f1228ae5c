"""The version of the SDK, read by the packaging and sent in the User-Agent."""

__version__ = "0.1.0"
