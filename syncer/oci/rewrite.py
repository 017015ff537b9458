"""Indexes that syncer writes itself: one cut down to chosen platforms, and the list of an image's referrers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from syncer.errors import PlatformMissing
from syncer.oci import media_types, strict_json
from syncer.oci.descriptor import Descriptor
from syncer.oci.manifest import Index, Manifest, parse_manifest
from syncer.oci.names import Tag

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from syncer.oci.digest import Digest
    from syncer.oci.platform import Platform

_ATTESTED = "vnd.docker.reference.digest"  # BuildKit: the child that an attestation manifest speaks about
_LONGEST_TAG_PART = 64


def cut_down(index: Index, only: Sequence[Platform]) -> Index:
    """`index` with the children for `only`, and the attestations about them; the same object if nothing is dropped.

    The entries that stay keep their JSON values and their order, as do all other fields, and the same input always
    gives the same bytes. Raises PlatformMissing if a platform of `only` is not there.
    """
    _refuse_missing(index, only)
    kept = _kept(index, only)
    if all(kept):
        return index
    document: dict[str, Any] = strict_json.loads(index.raw)
    document["manifests"] = [entry for entry, stays in zip(document["manifests"], kept, strict=True) if stays]
    return _written(document, index.descriptor.media_type, index.descriptor.digest.algorithm)


def missing_platforms(index: Index, only: Iterable[Platform]) -> list[Platform]:
    """Those of `only` for which `index` has no child."""
    return [wanted for wanted in only if not any(_is_for(child, wanted) for child in index.manifests)]


def referrers_index(descriptors: Iterable[Descriptor]) -> Index:
    """The index that stands under `fallback_tag` and lists what refers to an image.

    Spec: distribution-spec 1.1, "Referrers Tag Schema".
    """
    entries = [descriptor.to_json() for descriptor in descriptors]
    return _written({"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": entries})


def as_referrer(manifest: Manifest | Index) -> Descriptor:
    """The entry that lists `manifest` among what refers to its subject.

    Spec: distribution-spec 1.1, "Listing Referrers": the artifact's type, else its config's, and its annotations.
    """
    d = manifest.descriptor
    config = manifest.config.media_type if isinstance(manifest, Manifest) else None
    kind = manifest.artifact_type or config
    if kind is not None and not media_types.is_media_type(kind):
        kind = None  # it may say anything; in a list it would make the whole list malformed
    return Descriptor(d.media_type, d.digest, d.size, annotations=manifest.annotations, artifact_type=kind)


def fallback_tag(digest: Digest) -> Tag:
    """The tag under which a registry without the referrers API keeps the list for `digest`: `sha256-<hex>`."""
    return Tag(f"{digest.algorithm}-{digest.encoded[:_LONGEST_TAG_PART]}")


def _written(document: dict[str, Any], media_type: str = media_types.OCI_INDEX, algorithm: str = "sha256") -> Index:
    raw = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    return cast("Index", parse_manifest(raw, media_type, algorithm))


def _kept(index: Index, only: Sequence[Platform]) -> list[bool]:
    wanted = [any(_is_for(child, platform) for platform in only) for child in index.manifests]
    names = {str(child.digest) for child, is_wanted in zip(index.manifests, wanted, strict=True) if is_wanted}
    attests = [dict(child.annotations).get(_ATTESTED) in names for child in index.manifests]
    return [any(reasons) for reasons in zip(wanted, attests, strict=True)]


def _is_for(child: Descriptor, wanted: Platform) -> bool:
    return child.platform is not None and child.platform.matches(wanted)


def _refuse_missing(index: Index, only: Sequence[Platform]) -> None:
    missing = missing_platforms(index, only)
    if not missing:
        return
    there = sorted({str(child.platform) for child in index.manifests if _runs(child)})
    raise PlatformMissing(
        f"the image does not exist for {', '.join(map(str, missing))}; "
        f"it exists for {', '.join(there) or 'no platform that its index names'}"
    )


def _runs(child: Descriptor) -> bool:
    return child.platform is not None and _ATTESTED not in dict(child.annotations)
