"""How `/v2/` says what the API says: a code of the distribution specification, the same text."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from syncer.sandbox.answers import Answer, refusal, text_answer

if TYPE_CHECKING:
    from syncer.sandbox.ecr.failures import Failure
    from syncer.sandbox.ecr.switches import Switches

CODES = {  # the API's code → HTTP status and the specification's code
    "RepositoryNotFoundException": (404, "NAME_UNKNOWN"),
    "ImageNotFoundException": (404, "MANIFEST_UNKNOWN"),
    "LayersNotFoundException": (404, "BLOB_UNKNOWN"),
    "LayerInaccessibleException": (404, "BLOB_UNKNOWN"),
    "UploadNotFoundException": (404, "BLOB_UPLOAD_UNKNOWN"),
    "InvalidLayerPartException": (416, "BLOB_UPLOAD_INVALID"),
    "LayerPartTooSmallException": (400, "BLOB_UPLOAD_INVALID"),
    "InvalidLayerException": (400, "BLOB_UPLOAD_INVALID"),
    "EmptyUploadException": (400, "BLOB_UPLOAD_INVALID"),
    "ImageTagAlreadyExistsException": (400, "TAG_INVALID"),
    "ImageDigestDoesNotMatchException": (400, "DIGEST_INVALID"),
    "InvalidParameterException": (400, "UNSUPPORTED"),
    "LimitExceededException": (403, "DENIED"),
    "ThrottlingException": (429, "TOOMANYREQUESTS"),
}
INCOMPLETE = {  # of a PUT of a manifest; its status is a switch
    "LayersNotFoundException": "BLOB_UPLOAD_UNKNOWN",
    "ReferencedImagesNotFoundException": "MANIFEST_BLOB_UNKNOWN",
}
EXPIRED = "Your authorization token has expired. Reauthenticate and try again."


def refused(failure: Failure) -> Answer:
    """The answer to a request that ECR refuses."""
    status, code = CODES[failure.code]
    return refusal(status, code, failure.message)


def refused_manifest(failure: Failure, switches: Switches) -> Answer:
    """The same for a manifest, which may lack its layers or children."""
    if failure.code in INCOMPLETE:
        return refusal(switches.incomplete_status, INCOMPLETE[failure.code], failure.message)
    return refused(failure)


def not_authorized(host: str) -> Answer:
    """The challenge, and a body in plain text."""
    return text_answer(401, "Not Authorized\n", _challenge(host))


def expired(host: str, status: int) -> Answer:
    """The token was good once."""
    made = refusal(status, "DENIED", EXPIRED)
    if status == HTTPStatus.UNAUTHORIZED:
        made.headers.update(_challenge(host))
    return made


def _challenge(host: str) -> dict[str, str]:
    return {"Www-Authenticate": f'Basic realm="https://{host}/",service="ecr.amazonaws.com"'}
