"""A value that is refused is told what is wrong with it, not merely that it is."""

import pytest

from syncer.oci.digest import Digest
from syncer.oci.names import RepositoryName
from syncer.oci.origin import Origin
from syncer.oci.platform import Platform
from syncer.oci.reference import Reference


@pytest.mark.parametrize(
    ("parse", "text", "said"),
    [
        (Digest.parse, "sha256", "has no algorithm"),
        (RepositoryName.parse, "", "a repository name is missing"),
        (Origin.of_url, "example.com/v2/", "no full URL"),
        (lambda text: Platform(text, ""), "linux", "lacks its system or its architecture"),
        (Platform.parse, "windows/amd64,osver=1,osver=2", "has two versions"),
        (Reference.parse_name, "", "an image reference is missing"),
    ],
)
def test_what_is_wrong_is_said(parse, text, said):
    with pytest.raises(ValueError, match=said):
        parse(text)
