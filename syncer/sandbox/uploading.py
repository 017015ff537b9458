"""What a registry takes: upload sessions, blobs, manifests; and deletion."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from syncer.sandbox.answers import Answer, answer, refusal
from syncer.sandbox.calls import blob_unknown, manifest_unknown, name_unknown
from syncer.sandbox.log import BODY
from syncer.sandbox.store import MissingBlobsError, MissingManifestsError

if TYPE_CHECKING:
    from syncer.sandbox.calls import Call
    from syncer.sandbox.store import Upload

MAX_MANIFEST = 4 * 1024 * 1024
_NAME = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")


async def post(call: Call) -> Answer:
    """Open a session, or mount a blob of another repository (spec: "Mounting a blob from another repository")."""
    if not _NAME.fullmatch(call.name):
        return refusal(400, "NAME_INVALID", "invalid repository name", call.name)
    query = call.query
    giver = call.store.find(query.get("from", ""))
    found = giver.blobs.get(query.get("mount", "")) if giver else None
    repo = call.store.create(call.name)
    if found is not None:
        return blob_created(call, repo.put_blob(found))
    return session(call, repo.open_upload())


async def status(call: Call) -> Answer:
    """How much of a session's blob is here."""
    upload = call.repo.uploads.get(call.reference) if call.repo else None
    return session(call, upload, 204) if upload else _no_session()


async def patch(call: Call) -> Answer:
    """Append a chunk; it must begin where the last one ended. A chunk that is cut short ends the session."""
    repo = call.repo
    upload = repo.uploads.pop(call.reference, None) if repo else None
    if repo is None or upload is None:
        return _no_session()
    if (start := chunk_start(call)) is not None and start != len(upload.data):
        repo.uploads[upload.ident] = upload
        return answer(416, b"", _progress(upload))
    await receive(call, upload)
    repo.uploads[upload.ident] = upload
    return session(call, upload)


async def put(call: Call) -> Answer:
    """Append the last bytes and keep the blob if its digest is right; the session ends either way."""
    repo = call.repo
    upload = repo.uploads.pop(call.reference, None) if repo else None
    if repo is None or upload is None:
        return _no_session()
    await receive(call, upload)
    digest, data = call.query.get("digest", ""), bytes(upload.data)
    if not matches(digest, data):
        return refusal(400, "DIGEST_INVALID", "provided digest did not match uploaded content", digest)
    repo.blobs[digest] = repo.blobs[repo.put_blob(data)]
    return blob_created(call, digest)


async def cancel(call: Call) -> Answer:
    """Forget a session."""
    upload = call.repo.uploads.pop(call.reference, None) if call.repo else None
    return answer(204) if upload else _no_session()


async def put_manifest(call: Call) -> Answer:
    """Keep a manifest whose parts are all here, under a tag or its digest."""
    tagged = _TAG.fullmatch(call.reference) is not None
    if not _NAME.fullmatch(call.name) or not (tagged or call.reference.startswith("sha256:")):
        return refusal(400, "NAME_INVALID", "invalid repository name or reference", call.reference)
    raw = call.request[BODY] = await call.request.content.read(-1)
    if len(raw) > MAX_MANIFEST:
        return refusal(400, "MANIFEST_INVALID", "the manifest is too large", {"limit": MAX_MANIFEST})
    if not tagged and not matches(call.reference, raw):
        return refusal(400, "DIGEST_INVALID", "the digest is not that of the manifest", call.reference)
    return _commit(call, raw, call.reference if tagged else None)


async def delete_manifest(call: Call) -> Answer:
    """Delete by digest; a tag is refused, as distribution does."""
    if ":" not in call.reference:
        return refusal(400, "UNSUPPORTED", "manifests are deleted by digest", call.reference)
    if call.repo is None or call.reference not in call.repo.manifests:
        return manifest_unknown(call)
    call.repo.delete_manifest(call.reference)
    return answer(202)


async def delete_blob(call: Call) -> Answer:
    """Delete a blob, whoever needs it."""
    if call.repo is None:
        return name_unknown(call)
    return answer(202) if call.repo.blobs.pop(call.reference, None) else blob_unknown(call)


async def receive(call: Call, upload: Upload) -> int:
    """Append the request's body to the session, and return its length."""
    before = len(upload.data)
    async for piece in call.request.content.iter_any():
        upload.data += piece
    upload.parts.append(len(upload.data) - before)
    return upload.parts[-1]


def chunk_start(call: Call) -> int | None:
    """The first offset of a Content-Range, which an upload writes as `start-end`."""
    found = re.match(r"(?:bytes )?(\d+)-", call.request.headers.get("Content-Range", ""))
    return int(found[1]) if found else None


def matches(digest: str, data: bytes) -> bool:
    """Whether this is the digest of `data`."""
    if not _DIGEST.fullmatch(digest):
        return False
    algorithm, _, hexadecimal = digest.partition(":")
    return hashlib.new(algorithm, data).hexdigest() == hexadecimal


def session(call: Call, upload: Upload, status: int = 202) -> Answer:
    """A session's state and where it goes on."""
    location = f"{call.url}/v2/{call.name}/blobs/uploads/{upload.ident}"
    return answer(status, b"", {"Location": location, **_progress(upload)})


def blob_created(call: Call, digest: str) -> Answer:
    """The blob is here."""
    headers = {"Location": f"{call.url}/v2/{call.name}/blobs/{digest}", "Docker-Content-Digest": digest}
    return answer(201, b"", headers)


def _progress(upload: Upload) -> dict[str, str]:
    return {"Docker-Upload-UUID": upload.ident, "Range": f"0-{max(0, len(upload.data) - 1)}"}


def _no_session() -> Answer:
    return refusal(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")


def _commit(call: Call, raw: bytes, tag: str | None) -> Answer:
    media_type = call.request.headers.get("Content-Type", "").partition(";")[0].strip()
    try:
        digest = call.store.create(call.name).commit(raw, media_type, tag)
    except (MissingBlobsError, MissingManifestsError) as exc:
        return refusal(400, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry", {"digests": exc.digests})
    except ValueError as exc:
        return refusal(400, "MANIFEST_INVALID", f"manifest invalid: {exc}")
    headers = {"Location": f"{call.url}/v2/{call.name}/manifests/{digest}", "Docker-Content-Digest": digest}
    stored = call.store[call.name].manifests[digest]
    if stored.document.subject:
        headers["OCI-Subject"] = stored.document.subject
    return answer(201, b"", headers)
