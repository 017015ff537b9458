"""Operations on images and tags."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from syncer.sandbox.ecr.failures import Failure, image_not_found
from syncer.sandbox.ecr.paging import shuffled
from syncer.sandbox.ecr.repository import Push

if TYPE_CHECKING:
    from syncer.sandbox.ecr.api.asked import Asked
    from syncer.sandbox.ecr.repository import Repository
    from syncer.sandbox.store import Stored

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,299}")
REFERRERS_PAGE = 20


class _LookupFailedError(Exception):
    """An image id that leads nowhere: one of the failures inside a good answer."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(code)
        self.code = code
        self.reason = reason


def list_images(asked: Asked) -> dict[str, Any]:
    """ListImages: a row per tag, and one per image without tags."""
    repository = asked.repository
    content, status = repository.content, _tag_status(asked)
    tagged = [{"imageDigest": content.tags[tag], "imageTag": tag} for tag in shuffled(list(content.tags))]
    bare = [digest for digest in content.manifests if digest not in content.tags.values()]
    untagged = [{"imageDigest": digest} for digest in shuffled(bare)]
    rows = (tagged if status != "UNTAGGED" else []) + (untagged if status != "TAGGED" else [])
    return asked.page("imageIds", rows if _wants_active(asked) else [])


def describe_images(asked: Asked) -> dict[str, Any]:
    """DescribeImages: one missing image fails the whole call."""
    asked.expect_no_paging_with("imageIds")
    repository, status = asked.repository, _tag_status(asked)
    if "imageIds" in asked.input:
        digests = [_described(repository, wanted) for wanted in asked.input["imageIds"]]
        return {"imageDetails": [_details(repository, digest) for digest in dict.fromkeys(digests)]}
    images = [_details(repository, digest) for digest in shuffled(list(repository.content.manifests))]
    wanted = [one for one in images if status == "ANY" or ("imageTags" in one) == (status == "TAGGED")]
    return asked.page("imageDetails", wanted if _wants_active(asked) else [])


def batch_get_image(asked: Asked) -> dict[str, Any]:
    """BatchGetImage: what is missing is a failure inside the answer."""
    repository = asked.repository
    images: list[dict[str, Any]] = []
    failures: list[dict[str, Any]] = []
    for wanted in _distinct(asked.input["imageIds"]):
        try:
            image = _accepted(_found(repository, wanted), asked.input.get("acceptedMediaTypes"))
        except _LookupFailedError as exc:
            failures.append(_failure(wanted, exc))
        else:
            repository.pulled_at[image.digest] = asked.region.clock.now()
            images.append(_answer(asked, image, wanted.get("imageTag")))
    return {"images": images, "failures": failures}


def put_image(asked: Asked) -> dict[str, Any]:
    """PutImage: what was there already, under this tag if one is given, is an error."""
    given = asked.input
    tag, manifest = given.get("imageTag"), given["imageManifest"]
    if tag is not None and not TAG.fullmatch(tag):
        raise Failure("InvalidParameterException", f"Invalid parameter at 'imageTag': '{tag}'")
    push = Push(manifest.encode(), given.get("imageManifestMediaType"), tag, given.get("imageDigest"))
    image, is_new = asked.repository.put(push, newer_text=asked.region.switches.newer_immutable_text)
    if not is_new:
        named = f" and tag '{tag}'" if tag else ""
        text = f"Image with digest '{image.digest}'{named} already exists in the repository with name"
        text += f" '{asked.repository.name}' in registry with id '{asked.account}'"
        raise Failure("ImageAlreadyExistsException", text)
    return {"image": _answer(asked, image, tag)}


def batch_delete_image(asked: Asked) -> dict[str, Any]:
    """BatchDeleteImage: a tag goes, with its last tag the image; by digest the image with all its tags."""
    repository = asked.repository
    deleted: list[dict[str, str]] = []
    failures: list[dict[str, Any]] = []
    for wanted in _distinct(asked.input["imageIds"]):
        try:
            deleted += _delete(repository, wanted)
        except _LookupFailedError as exc:
            failures.append(_failure(wanted, exc))
    return {"imageIds": deleted, "failures": failures}


def list_image_referrers(asked: Asked) -> dict[str, Any]:
    """ListImageReferrers: artifacts whose subject is the image."""
    subject, wanted = asked.input["subjectId"]["imageDigest"], asked.input.get("filter", {})
    types, status = wanted.get("artifactTypes"), wanted.get("artifactStatus", "ACTIVE")
    found = [
        {**row, "artifactStatus": "ACTIVE"}
        for row in asked.repository.content.referrers(subject)
        if not types or row["artifactType"] in types
    ]
    return asked.page("referrers", found if status in {"ACTIVE", "ANY"} else [], REFERRERS_PAGE)


def _tag_status(asked: Asked) -> str:
    return str(asked.input.get("filter", {}).get("tagStatus", "ANY"))


def _wants_active(asked: Asked) -> bool:
    return asked.input.get("filter", {}).get("imageStatus", "ANY") in {"ACTIVE", "ANY"}


def _distinct(ids: list[dict[str, str]]) -> list[dict[str, str]]:
    return list({(one.get("imageDigest"), one.get("imageTag")): one for one in ids}.values())


def _found(repository: Repository, wanted: dict[str, str]) -> Stored:
    """The image that an id means; raises _LookupFailedError."""
    digest, tag = wanted.get("imageDigest"), wanted.get("imageTag")
    if digest is None and tag is None:
        raise _LookupFailedError("MissingDigestAndTag", "Invalid request parameters: both tag and digest are missing")
    if digest is not None and not DIGEST.fullmatch(digest):
        raise _LookupFailedError("InvalidImageDigest", "Invalid request parameters: the image digest is malformed")
    if tag is not None and not TAG.fullmatch(tag):
        raise _LookupFailedError("InvalidImageTag", "Invalid request parameters: the image tag is malformed")
    image = repository.content.find(tag or digest or "")
    if image is None:
        raise _LookupFailedError("ImageNotFound", "Requested image not found")
    if digest not in {None, image.digest}:
        raise _LookupFailedError("ImageTagDoesNotMatchDigest", "The image tag does not name the image digest")
    return image


def _accepted(image: Stored, media_types: list[str] | None) -> Stored:
    """No conversion is done: an image whose type is not accepted is not found."""
    if media_types is not None and image.media_type not in media_types:
        raise _LookupFailedError("ImageNotFound", "Requested image not found")
    return image


def _described(repository: Repository, wanted: dict[str, str]) -> str:
    try:
        return _found(repository, wanted).digest
    except _LookupFailedError as exc:
        if exc.code not in {"ImageNotFound", "ImageTagDoesNotMatchDigest"}:
            raise Failure("InvalidParameterException", exc.reason) from exc
        named = ", ".join(f"{key}:'{wanted.get(key, 'null')}'" for key in ("imageDigest", "imageTag"))
        raise image_not_found(repository.name, repository.account, f"{{{named}}}") from exc


def _details(repository: Repository, digest: str) -> dict[str, Any]:
    image, tags = repository.content.manifests[digest], repository.tags_of(digest)
    pulled, subject = repository.pulled_at.get(digest), image.document.subject
    optional = {
        "imageTags": tags or None,
        "artifactMediaType": image.document.artifact_type,
        "lastRecordedPullTime": pulled.timestamp() if pulled else None,
        "subjectManifestDigest": subject,
    }
    return {
        "registryId": repository.account,
        "repositoryName": repository.name,
        "imageDigest": digest,
        "imageSizeInBytes": repository.size_of(image),
        "imagePushedAt": image.pushed_at.timestamp(),
        "imageManifestMediaType": image.media_type,
        "imageStatus": "ACTIVE",
        **{name: value for name, value in optional.items() if value is not None},
    }


def _answer(asked: Asked, image: Stored, tag: str | None) -> dict[str, Any]:
    """An image with the tag that was asked for, not with another of its tags."""
    return asked.place | {
        "imageId": {"imageDigest": image.digest} | ({"imageTag": tag} if tag else {}),
        "imageManifest": image.raw.decode(),
        "imageManifestMediaType": image.media_type,
    }


def _failure(wanted: dict[str, str], error: _LookupFailedError) -> dict[str, Any]:
    return {"imageId": wanted, "failureCode": error.code, "failureReason": error.reason}


def _delete(repository: Repository, wanted: dict[str, str]) -> list[dict[str, str]]:
    digest, tag = _found(repository, wanted).digest, wanted.get("imageTag")
    tags = repository.tags_of(digest)
    removes_image = tag is None or tags == [tag]
    if removes_image and (parents := repository.content.parents(digest)):
        text = f"Requested image referenced by manifest list: [{', '.join(parents)}]"
        raise _LookupFailedError("ImageReferencedByManifestList", text)
    if tag is not None:
        repository.remove_tag(tag)
        return [{"imageDigest": digest, "imageTag": tag}]
    repository.content.delete_manifest(digest)
    return [{"imageDigest": digest, "imageTag": one} for one in tags] or [{"imageDigest": digest}]


OPERATIONS = {
    "ListImages": list_images,
    "DescribeImages": describe_images,
    "BatchGetImage": batch_get_image,
    "PutImage": put_image,
    "BatchDeleteImage": batch_delete_image,
    "ListImageReferrers": list_image_referrers,
}
