"""Credentials from docker's config.json and its credential helpers, read by the docker package."""

from __future__ import annotations

import asyncio
import warnings
from typing import TYPE_CHECKING, Any

import docker.auth
import docker.errors

from syncer.credentials.keychain import Credential
from syncer.errors import HelperFailed
from syncer.settings.registries import API_HOSTS, DOCKER_HUB
from syncer.settings.secret import Secret

if TYPE_CHECKING:
    from pathlib import Path

    from syncer.oci.origin import Origin

HELPER_SECONDS = 10.0
_MISTAKES = (ValueError, TypeError, AttributeError, LookupError, RecursionError, OSError)
"""What the docker package raises for a file that holds JSON of another shape than it expects."""
_USED = ("username", "password", "identitytoken")
_MALFORMED = "config.json, or what a helper answers, is not of the form that docker writes"
HUB_API = API_HOSTS[DOCKER_HUB]


class DockerConfigKeychain:
    """The credentials of `docker login`.

    Looks where docker looks: `path`, else `$DOCKER_CONFIG/config.json`, else `~/.docker/config.json`. The file is read
    once and a helper is asked once per origin, in a thread, since both may block.
    Raises HelperFailed where a helper is named and missing, fails or hangs, and where the file is malformed.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._config: Any = None
        self._known: dict[Origin, Credential | None] = {}
        self._lock = asyncio.Lock()

    async def credential(self, origin: Origin) -> Credential | None:
        """The credential for `origin`, if docker has one."""
        async with self._lock:
            if origin not in self._known:
                self._known[origin] = await self._ask(origin)
            return self._known[origin]

    async def renew(self, origin: Origin) -> Credential | None:
        """Ask again: helpers mint short-lived passwords. None where the answer is the one that was refused."""
        async with self._lock:
            old, new = self._known.get(origin), await self._ask(origin)
            self._known[origin] = new
            return new if new != old else None

    async def _ask(self, origin: Origin) -> Credential | None:
        try:
            async with asyncio.timeout(HELPER_SECONDS):
                return await asyncio.to_thread(self._read, origin)
        except TimeoutError as error:
            raise _helper_failed(origin, f"no answer within {HELPER_SECONDS:.0f} s") from error

    def _read(self, origin: Origin) -> Credential | None:
        try:
            return self._resolved(origin)
        except docker.errors.DockerException as error:
            raise _helper_failed(origin, str(error)) from error
        except _MISTAKES:
            raise _helper_failed(origin, _MALFORMED) from None  # the cause quotes what it could not read

    def _resolved(self, origin: Origin) -> Credential | None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a missing helper docker also warns; our error says it with a next step
            if self._config is None:
                self._config = docker.auth.load_config(str(self._path) if self._path else None)
            return _credential(self._config.resolve_authconfig(_key(origin)))


def _key(origin: Origin) -> str | None:
    """The name under which docker keeps the credential of `origin`; None is Docker Hub's own entry."""
    return None if origin.netloc == HUB_API else origin.netloc


def _credential(entry: dict[str, str] | None) -> Credential | None:
    """One entry as the docker package returns it: lower-case keys from `auths`, capitals from helpers."""
    folded = {key.lower(): value for key, value in (entry or {}).items() if value}
    for key in _USED:
        folded.get(key, "").encode()  # raises one of _MISTAKES for what is no text, or cannot be sent
    if token := folded.get("identitytoken"):
        return Credential("", Secret(""), refresh_token=Secret(token))
    username, password = folded.get("username"), folded.get("password")
    return Credential(username, Secret(password)) if username and password else None


def _helper_failed(origin: Origin, reason: str) -> HelperFailed:
    return HelperFailed(f"docker's credentials for {origin.netloc} cannot be read: {reason}", host=origin.netloc)
