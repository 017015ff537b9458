"""Registry mirrors of Docker Hub and others: honest, or wrong in every way that was seen in the wild."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from syncer.sandbox import actions, gates, reading, v2
from syncer.sandbox.calls import Call, name_unknown
from syncer.sandbox.faults import Fault
from syncer.sandbox.realm import PULL, Realm
from syncer.sandbox.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable

    from syncer.clock import Clock
    from syncer.sandbox.answers import Answer
    from syncer.sandbox.faults import Action
    from syncer.sandbox.log import Log
    from syncer.sandbox.store import Repo, Store


@dataclass(slots=True)
class Mirror:
    """What a mirror shows of its upstreams: all of it as it is, unless told otherwise.

    `sources` maps a repository prefix ("" for the host form, "docker.io/" for the prefix form) to an
    upstream's store.
    """

    sources: dict[str, Store]
    lists_tags: bool = True
    frozen: dict[str, dict[str, str]] | None = None  # name -> tags, as of the last time it looked
    lies: dict[tuple[str, str], str] = field(default_factory=dict)  # (name, tag) -> digest
    missing: set[str] = field(default_factory=set)  # tags, manifest digests and blob digests that it lacks

    def find(self, name: str) -> Repo | None:
        """The repository as the mirror shows it."""
        for prefix, store in self.sources.items():
            repo = store.find(name[len(prefix) :]) if name.startswith(prefix) else None
            if repo is not None:
                return self._shown(repo)
        return None

    def freeze(self) -> None:
        """Stop looking at the upstreams' tags: from now on they grow stale."""
        self.frozen = {repo.name: dict(repo.tags) for store in self.sources.values() for repo in store}

    def lie(self, name: str, tag: str, digest: str) -> None:
        """Say that an upstream's tag is that digest."""
        self.lies[name, tag] = digest

    def _shown(self, repo: Repo) -> Repo:
        tags = repo.tags if self.frozen is None else self.frozen.get(repo.name, {})
        tags = tags | {tag: digest for (name, tag), digest in self.lies.items() if name == repo.name}
        return replace(
            repo,
            tags={tag: digest for tag, digest in tags.items() if tag not in self.missing},
            manifests={digest: item for digest, item in repo.manifests.items() if digest not in self.missing},
            blobs={digest: blob for digest, blob in repo.blobs.items() if digest not in self.missing},
        )


class MirrorServer:
    """A mirror at an address, with a token realm at another one where `realm` names it."""

    def __init__(
        self, mirror: Mirror, clock: Clock, log: Log, *, public: str | None = None, name: str = "mirror"
    ) -> None:
        self.mirror = mirror
        store = next(iter(mirror.sources.values()))
        handlers: v2.Handlers = {
            ("GET", "base"): reading.base,
            ("GET", "tags"): self._tags,
            ("GET", "manifest"): reading.manifest,
            ("GET", "blob"): reading.blob,
        }
        self.registry = v2.Registry(store, dict(handlers), find=mirror.find)
        self.server = Server(name, self.registry, public=public, log=log)
        self.realm = Realm("mirror", clock, self._policy)
        self.auth_server: Server | None = None

    @property
    def servers(self) -> tuple[Server, ...]:
        """The mirror's, and its realm's."""
        return (self.server,) if self.auth_server is None else (self.server, self.auth_server)

    def ask_for_tokens(self, public: str | None = None) -> Server:
        """Let only holders of a token in; anybody gets one at the realm that is returned."""
        auth = Server(f"{self.server.name}-auth", self.realm, public=public, log=self.server.log)
        self.auth_server = auth
        self.registry.gate = gates.bearer(self.realm, lambda: f"{auth.url}/token")
        return auth

    def misbehave(self, how: str, path: str = "", *, times: int | None = None) -> Fault:
        """Switch on one of MISBEHAVIOURS for the requests whose path is matched."""
        default, action = MISBEHAVIOURS[how]
        return self.server.faults.add(Fault(action(), path=path or default, times=times))

    def _policy(self, _account: str, name: str) -> frozenset[str]:
        return PULL if self.mirror.find(name) else frozenset()

    async def _tags(self, call: Call) -> Answer:
        return await reading.tags(call) if self.mirror.lists_tags else name_unknown(call)


def compact(raw: bytes) -> bytes:
    """The same JSON in other bytes."""
    return json.dumps(json.loads(raw), separators=(",", ":")).encode()


_BLOBS, _MANIFESTS = "/blobs/", "/manifests/"

# What a mirror can do to requests: name -> (path that it usually hits, action). What it shows of tags
# and manifests is switched at Mirror (freeze, lie, missing), its realm at auth_server.
MISBEHAVIOURS: dict[str, tuple[str, Callable[[], Action]]] = {
    "forbidden": ("", lambda: actions.html(403)),
    "html": ("", actions.html),
    "wrong bytes": (_BLOBS, lambda: actions.flip(0)),
    "other blob": (_BLOBS, lambda: actions.replace(b"not what was asked for")),
    "cut off": (_BLOBS, lambda: actions.cut(100)),
    "reserialised": (_MANIFESTS, lambda: actions.reserialise(compact)),
    "hang": ("", actions.hang),
    "hang after headers": (_BLOBS, actions.stall),
    "trickle": (_BLOBS, lambda: actions.trickle(16, 0.05)),
    "not found": (_BLOBS, lambda: actions.reply(404)),
    "too many": ("", actions.too_many),
    "too many, wait": ("", lambda: actions.too_many("1")),
    "unavailable": ("", lambda: actions.html(503)),
    "reset": ("", actions.reset),
    "redirect loop": (_BLOBS, actions.redirect_loop),
    "redirect to http": (_BLOBS, lambda: actions.redirect_to("http://plain.mirror.test/blob")),
    "redirect to private": (_BLOBS, lambda: actions.redirect_to("https://169.254.169.254/latest/meta-data/")),
    "no digest": (_MANIFESTS, lambda: actions.headers({"Docker-Content-Digest": None})),
    "ignores range": (_BLOBS, actions.ignore_range),
}
