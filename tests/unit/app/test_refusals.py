"""What the parts of a run refuse that cannot be."""

import pytest

from syncer.app import ecr
from syncer.app.parts import Outside, Parts
from syncer.app.places import WiredPlaces
from syncer.app.single import copy_settings
from syncer.config.load import load_text
from syncer.credentials.static import StaticKeychain
from syncer.errors import Bug, Usage
from syncer.oci.origin import Origin
from syncer.settings.registries import Endpoint
from syncer.settings.targets import TargetSettings

FILE = "version: 1\ntargets: {there: {registry: plain.example}}\nimages: [{source: app, tags: ['1'], target: app}]\n"


@pytest.fixture
def parts(tmp_path):
    settings = load_text(FILE, "mirrors.yaml", {}, tmp_path)
    return Parts(settings, Outside(environ={}, docker=StaticKeychain({})))


def test_a_target_that_the_file_does_not_name_is_none(parts):
    with pytest.raises(Usage, match="no target elsewhere in mirrors"):
        WiredPlaces(parts).registry("elsewhere")


def test_a_destination_has_no_digest():
    with pytest.raises(Usage, match="has a tag, not a digest"):
        copy_settings("app:1", f"plain.example/app@sha256:{'0' * 64}", None)


def test_what_is_no_host_of_ecr_gets_no_client_of_it(parts):
    endpoint = Endpoint(Origin.parse("https://plain.example"))
    with pytest.raises(Bug, match="not an ECR host"):
        ecr._api(TargetSettings("there", "plain.example"), endpoint, parts)
