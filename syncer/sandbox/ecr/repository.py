"""One ECR repository: settings around a sandbox repository, and what ECR refuses to do to its images."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from syncer.sandbox.documents import DOCKER_LIST, DOCKER_MANIFEST, INDEXES, OCI_INDEX, OCI_MANIFEST, digest_of, read
from syncer.sandbox.ecr.failures import Failure, invalid
from syncer.sandbox.ecr.mutability import TagMutability, immutable
from syncer.sandbox.store import MissingBlobsError, MissingManifestsError

if TYPE_CHECKING:
    from datetime import datetime

    from syncer.sandbox.ecr.names import RegionNames
    from syncer.sandbox.store import Repo, Stored

LARGEST_MANIFEST = 4_194_304  # characters, PutImage of the service model
TAGS_PER_IMAGE = 1000
SUPPORTED = {OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST}


@dataclass(frozen=True, slots=True)
class Push:
    """What PutImage or a PUT of a manifest asks for."""

    raw: bytes
    media_type: str | None = None
    tag: str | None = None
    digest: str | None = None


@dataclass(slots=True)
class Repository:
    """The contents and the settings of one repository; `account` is the registry that holds it."""

    content: Repo
    account: str
    created_at: datetime
    mutability: TagMutability = field(default_factory=TagMutability)
    scan_on_push: bool = False
    encryption: dict[str, str] = field(default_factory=lambda: {"encryptionType": "AES256"})
    resource_tags: dict[str, str] = field(default_factory=dict)
    lifecycle: str | None = None
    pulled_at: dict[str, datetime] = field(default_factory=dict)  # by digest of the image

    @property
    def name(self) -> str:
        """What it is called within its registry."""
        return self.content.name

    def put(self, push: Push, *, newer_text: bool = False) -> tuple[Stored, bool]:
        """Store an image; False with it says that this digest was there, under this tag if one is given."""
        digest = digest_of(push.raw)
        media_type = _media_type(push)
        if push.digest not in {None, digest}:
            raise Failure("ImageDigestDoesNotMatchException", "The calculated digest differs from the given digest")
        self._expect_movable(push.tag, newer_text=newer_text)
        known = digest in self.content.manifests and push.tag in {None, *self.tags_of(digest)}
        self._expect_room(push.tag, digest)
        self._commit(push, media_type)
        return self.content.manifests[digest], not known

    def tags_of(self, digest: str) -> list[str]:
        """The tags that name an image."""
        return [tag for tag, named in self.content.tags.items() if named == digest]

    def layer_type(self, layer: str) -> str | None:
        """The media type that an image gives `layer`."""
        described = (item for image in self.content.manifests.values() for item in _described(image))
        return next((str(item["mediaType"]) for item in described if item["digest"] == layer), None)

    def size_of(self, image: Stored) -> int:
        """Of an image the sum of its layers, of an index the size of its largest image."""
        children = [self.content.manifests[child] for child in image.document.children]
        if image.media_type in INDEXES:
            return max(map(self.size_of, children), default=0)
        return sum(int(item["size"]) for item in _described(image))

    def remove_tag(self, tag: str) -> None:
        """Remove a tag, and with its last tag the image."""
        digest = self.content.tags.pop(tag)
        if not self.tags_of(digest):
            self.content.delete_manifest(digest)

    def answer(self, names: RegionNames) -> dict[str, Any]:
        """How the API describes it."""
        return {
            "repositoryArn": names.repository_arn(self.account, self.name),
            "registryId": self.account,
            "repositoryName": self.name,
            "repositoryUri": names.repository_uri(self.account, self.name),
            "createdAt": self.created_at.timestamp(),
            "imageScanningConfiguration": {"scanOnPush": self.scan_on_push},
            "encryptionConfiguration": self.encryption,
            **self.mutability.answer(),
        }

    def _expect_movable(self, tag: str | None, *, newer_text: bool) -> None:
        """The same digest under the same immutable tag is refused too."""
        if tag in self.content.tags and self.mutability.is_immutable(tag):
            raise immutable(tag, self.name, newer_text=newer_text or self.mutability.mode != "IMMUTABLE")

    def _expect_room(self, tag: str | None, digest: str) -> None:
        tags = self.tags_of(digest)
        if tag not in {None, *tags} and len(tags) >= TAGS_PER_IMAGE:
            raise Failure("LimitExceededException", f"An image may have at most {TAGS_PER_IMAGE} tags")

    def _commit(self, push: Push, media_type: str) -> None:
        try:
            self.content.commit(push.raw, media_type, push.tag)
        except MissingBlobsError as exc:
            raise Failure("LayersNotFoundException", self._required("Layers", exc.digests)) from exc
        except MissingManifestsError as exc:
            raise Failure("ReferencedImagesNotFoundException", self._required("Images", exc.digests)) from exc

    def _required(self, what: str, missing: list[str]) -> str:
        return (
            f"{what} with digests '[{', '.join(dict.fromkeys(missing))}]' required for pushing image into repository"
            f" with name '{self.name}' in the registry with id '{self.account}' do not exist"
        )


def _media_type(push: Push) -> str:
    """The media type that the request declares or the manifest says; refuses what cannot be read as it."""
    if len(push.raw) > LARGEST_MANIFEST:
        raise invalid("imageManifest", f"Member must have length less than or equal to {LARGEST_MANIFEST}")
    try:
        media_type = push.media_type or json.loads(push.raw).get("mediaType")
        if media_type is None:
            raise invalid("imageManifestMediaType", "A manifest without a mediaType needs one in the request")
        if media_type not in SUPPORTED:
            raise invalid("imageManifestMediaType", f"Image manifest media type '{media_type}' is not supported")
        read(push.raw, media_type)
    except (ValueError, TypeError, AttributeError) as exc:
        raise invalid("imageManifest", "Invalid JSON syntax") from exc
    return str(media_type)


def _described(image: Stored) -> list[dict[str, Any]]:
    """The descriptors of an image's config and layers, each digest once."""
    content = image.document.content
    items = [content["config"], *content["layers"]] if "config" in content else []
    return list({item["digest"]: item for item in items}.values())
