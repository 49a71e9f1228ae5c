"""Where mail goes out, from a URL such as ``FEATURESTORE_EMAIL_URL`` (pure: no Django)."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit


@dataclass(frozen=True)
class MailAddress:
    """A mail server: ``smtps`` is TLS from the start, ``smtp`` asks for it (STARTTLS) unless ``tls=0``."""

    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    implicit_tls: bool = False
    starttls: bool = True
    sender: str = ""


def parse_mail_url(url: str) -> MailAddress:
    """``smtp://user:password@host:587?from=store@example.org`` or ``smtps://…``.

    :raises ValueError: when it is neither. The message never holds the URL, which has a password.
    """
    form = "write smtp://user:password@host:587?from=store@example.org or smtps://…"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"is not a mail address ({error}); {form}") from error
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise ValueError(f"is not a mail address; {form}")
    query = parse_qs(parts.query)
    user = unquote(parts.username or "")
    implicit = parts.scheme == "smtps"
    return MailAddress(
        host=parts.hostname,
        port=port or (465 if implicit else 587),
        user=user,
        password=unquote(parts.password or ""),
        implicit_tls=implicit,
        starttls=not implicit and query.get("tls", ["1"])[0] != "0",
        sender=query.get("from", [user if "@" in user else ""])[0],
    )
