"""Secrets cut out of what is logged: the values that are known, and what looks like one."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from syncer.settings.registries import Endpoint
    from syncer.settings.rules import Settings

MASK = "***"
_ANY = "surrogateescape"  # the environment may hold bytes that are no text
SHORTEST = 6  # characters; hiding shorter values would tear ordinary words apart

_NAMED = re.compile(
    r"""(?ix)
    ( authorization ["']? \s* [:=] \s* ["']? (?: [a-z][a-z0-9-]* \s+ )?   # a header, however it is written
    | (?: x-amz-[a-z-]{1,64} | signature | sig | _state | token | secret[a-z_-]{0,64} | password )
      ["']? \s* [=:] \s* ["']?                                           # in a query, a form, a JSON document
    ) [^\s"'&,;)}\]]+
    """
)
_IN_URL = re.compile(r"(://[^/\s:@]*:)[^\s@/]+(?=@)")
_SECRET_NAMES = re.compile(r"PASSW|SECRET|TOKEN|CREDENTIAL", re.IGNORECASE)


class Redactor:
    """Knows values that must not be shown."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._longest_first: list[str] = []

    def hide(self, values: Iterable[str]) -> None:
        """Show none of `values` from now on, be it plain, percent-encoded or inside something in base64."""
        for value in values:
            if len(value) >= SHORTEST:
                self._known.update(form for form in _forms(value) if len(form) >= SHORTEST)
        self._longest_first = sorted(self._known, key=len, reverse=True)

    def known(self, text: str) -> str:
        """`text` without the values that are known."""
        for value in self._longest_first:
            text = text.replace(value, MASK)
        return text

    def __call__(self, text: str) -> str:
        """`text` without secrets, and without what looks like one."""
        text = self.known(text)
        return _IN_URL.sub(rf"\1{MASK}", _NAMED.sub(rf"\1{MASK}", text))


def secrets_of(settings: Settings) -> Iterator[str]:
    """The passwords in a configuration, those of proxies too."""
    for registry in settings.registries.values():
        yield from _passwords(registry.endpoint)
        for mirror in registry.mirrors:
            yield from _passwords(mirror.endpoint)


def secrets_in(environ: Mapping[str, str]) -> Iterator[str]:
    """The values of variables whose names say that they are secret."""
    return (value for name, value in environ.items() if _SECRET_NAMES.search(name))


def _passwords(endpoint: Endpoint) -> Iterator[str]:
    if endpoint.auth is not None:
        yield endpoint.auth.password.reveal()
    if endpoint.proxy is not None:
        yield unquote(urlsplit(endpoint.proxy).password or "")


def _forms(value: str) -> Iterator[str]:
    yield value
    yield quote(value, safe="", errors=_ANY)
    for lead in range(3):
        yield _inside_base64(value.encode(errors=_ANY), lead)


def _inside_base64(value: bytes, lead: int) -> str:
    """What is always the same of a base64 text in which `value` follows `lead` (modulo 3) other bytes."""
    text = b64encode(bytes(lead) + value).decode()
    cut = {0: 0, 1: 3, 2: 2}[(lead + len(value)) % 3]
    return text[(0, 2, 3)[lead] : len(text) - cut]
