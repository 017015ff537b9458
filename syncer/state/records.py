"""What is remembered from run to run, and what whoever remembers it promises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from syncer.oci.descriptor import Descriptor
    from syncer.oci.digest import Digest
    from syncer.oci.platform import Platform
    from syncer.oci.reference import Reference


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A tag at a target that was seen to be what its source meant."""

    source: Reference  # with the tag or digest that the rule names
    source_digest: Digest  # what that meant
    digest: Digest  # what the tag at the target meant: the same, unless an index was cut down
    at: datetime  # in UTC


@dataclass(frozen=True, slots=True)
class Seen:
    """What a tag at a source was seen to mean."""

    digest: Digest
    at: datetime  # in UTC: since when it was this one


class State(Protocol):
    """What outlives a run. None of it is believed about bytes; losing it costs requests, and whose tags are whose."""

    trouble: str | None
    """Why nothing more is remembered, once that is so: a full disk does not stop a run."""

    def confirmed(self, target: Reference) -> Confirmed | None:
        """The latest confirmation of the tag `target`."""

    def tags(self, repository: Reference) -> int:
        """How many tags of `repository`, at a target, were ever confirmed."""

    def confirm(self, target: Reference, confirmed: Confirmed) -> None:
        """Remember `confirmed` instead of what was known of `target` before."""

    def seen(self, source: Reference) -> Sequence[Seen]:
        """What the tag `source` was seen to mean, each digest once, the latest first."""

    def saw(self, source: Reference, digest: Digest, at: datetime) -> None:
        """Remember that `source` means `digest` since then."""

    def rewritten(self, source: Digest, only: tuple[Platform, ...]) -> Descriptor | None:
        """The root that results when the root `source` is cut down to `only`, in whatever order they are given."""

    def remember_rewritten(self, source: Digest, only: tuple[Platform, ...], landing: Descriptor) -> None:
        """Remember that `source`, cut down to `only`, is `landing`: media type, digest and size of it count."""
