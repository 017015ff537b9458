"""Where things are at a registry: the requests of the distribution API. Spec: distribution-spec 1.1."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from syncer.oci import media_types
from syncer.registry.http import Access, Body, Request

if TYPE_CHECKING:
    from syncer.oci.digest import Digest
    from syncer.oci.names import RepositoryName, Tag
    from syncer.oci.origin import Origin
    from syncer.settings.registries import Endpoint

ACCEPT = {"Accept": ", ".join(media_types.ACCEPT)}
PAGE = 1000  # entries asked for in one answer; ECR and ACR take no more
MANIFEST_PATIENCE = 2.0  # times the usual: a registry checks every child before it answers


@dataclass(frozen=True, slots=True)
class Session:
    """Where a registry wants the bytes of a blob: path and query as it gave them."""

    origin: Origin
    target: str


@dataclass(frozen=True, slots=True)
class Routes:
    """The requests of one repository at one endpoint."""

    origin: Origin
    prefix: str  # of the endpoint, "" for none
    repository: RepositoryName

    @classmethod
    def at(cls, endpoint: Endpoint, repository: RepositoryName) -> Routes:
        """The routes of `repository` at `endpoint`."""
        return cls(endpoint.origin, endpoint.prefix, repository)

    @property
    def name(self) -> str:
        """The repository as this endpoint calls it."""
        return f"{self.prefix}/{self.repository}" if self.prefix else str(self.repository)

    @property
    def tags_path(self) -> str:
        """The path of the tag list, which all its pages share."""
        return f"/v2/{self.name}/tags/list"

    def tags(self, *, paged: bool = True) -> Request:
        """List tags; a few registries refuse a page size."""
        return self._pull("GET", self.tags_path + (f"?n={PAGE}" if paged else ""))

    def manifest(self, name: Tag | Digest, method: str = "GET") -> Request:
        """Look at a manifest, or read it."""
        return self._pull(method, f"/v2/{self.name}/manifests/{name}", ACCEPT)

    def blob(self, digest: Digest, start: int = 0, stop: int | None = None) -> Request:
        """Read a blob, or a part of it: `stop` is exclusive, a Range header's end is not. RFC 9110, 14.2."""
        end = "" if stop is None else stop - 1
        headers = {"Range": f"bytes={start}-{end}"} if start or stop is not None else {}
        return replace(self._pull("GET", self._blob_path(digest), headers), bulk=True)

    def has_blob(self, digest: Digest) -> Request:
        """Ask whether a blob is there."""
        return self._pull("HEAD", self._blob_path(digest))

    def referrers(self, digest: Digest) -> Request:
        """List what has `digest` as its subject."""
        return self._pull("GET", f"/v2/{self.name}/referrers/{digest}", {"Accept": media_types.OCI_INDEX})

    def start_upload(self) -> Request:
        """Open an upload session."""
        return self._push("POST", f"/v2/{self.name}/blobs/uploads/")

    def mount(self, digest: Digest, source: Routes) -> Request:
        """Take a blob over from `source`, a repository of the same registry; where that is refused, open a session."""
        query = f"?mount={quote(str(digest), safe='')}&from={quote(source.name, safe='')}"
        return self._push("POST", f"/v2/{self.name}/blobs/uploads/{query}", also=f" {source.scope('pull')}")

    def finish_upload(self, session: Session, digest: Digest, body: Body) -> Request:
        """Send a whole blob to an upload session, wherever that is."""
        mark = "&" if "?" in session.target else "?"
        put = self._push("PUT", f"{session.target}{mark}digest={quote(str(digest), safe='')}", body=body)
        return replace(put, bulk=True, origin=session.origin)

    def put_manifest(self, name: Tag | Digest, media_type: str, body: Body) -> Request:
        """Store a manifest."""
        path = f"/v2/{self.name}/manifests/{name}"
        return self._push("PUT", path, media_type=media_type, body=body, patience=MANIFEST_PATIENCE)

    def scope(self, actions: str) -> str:
        """The token scope for `actions` here. Docker "Token Scope Documentation"."""
        return f"repository:{self.name}:{actions}"

    def _blob_path(self, digest: Digest) -> str:
        return f"/v2/{self.name}/blobs/{digest}"

    def _pull(self, method: str, target: str, headers: dict[str, str] | None = None) -> Request:
        return Request(method, self.origin, target, headers or {}, scope=self.scope("pull"))

    def _push(
        self,
        method: str,
        target: str,
        *,
        media_type: str = "application/octet-stream",
        body: Body | None = None,
        also: str = "",
        patience: float = 1.0,
    ) -> Request:
        headers = {"Content-Type": media_type} if body else {}
        scope = self.scope("pull,push") + also
        return Request(method, self.origin, target, headers, body, Access.PUSH, scope, patience=patience)


def catalog(origin: Origin, *, paged: bool = True) -> Request:
    """List the repositories of a registry, where it does so."""
    return Request("GET", origin, "/v2/_catalog" + (f"?n={PAGE}" if paged else ""), scope="registry:catalog:*")
