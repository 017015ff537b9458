"""Which platforms of an image a rule takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.oci.manifest import Index, Manifest
from syncer.oci.rewrite import cut_down

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syncer.oci.platform import Platform


def landing(root: Manifest | Index, only: Sequence[Platform]) -> Manifest | Index:
    """What the tag will mean at the targets: `root` itself, or a smaller index with the platforms of `only`.

    An image that has one manifest and no index is taken as it is. Raises PlatformMissing.
    """
    return cut_down(root, only) if only and isinstance(root, Index) else root
