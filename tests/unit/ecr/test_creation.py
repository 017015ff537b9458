"""What a new ECR repository looks like."""

import json

from botocore.session import Session
from botocore.validate import ParamValidator

from syncer.ecr.creation import creation, lifecycle_policy
from syncer.settings.targets import Encryption, EncryptionType, Lifecycle, RepositorySettings, TagMutability

FULL = RepositorySettings(
    tag_mutability=TagMutability.IMMUTABLE_WITH_EXCLUSION,
    mutability_exclusions=("latest*",),
    scan_on_push=True,
    encryption=Encryption(EncryptionType.KMS, "alias/images"),
    lifecycle=Lifecycle(14, 50),
    tags=(("owner", "platform"),),
)


def test_every_setting_is_a_parameter_that_the_service_knows():
    shape = Session().get_service_model("ecr").operation_model("CreateRepository").input_shape
    parameters = creation(FULL) | {"repositoryName": "base/nginx"}
    assert not ParamValidator().validate(parameters, shape).has_errors()
    assert parameters["imageTagMutabilityExclusionFilters"] == [{"filterType": "WILDCARD", "filter": "latest*"}]
    assert parameters["encryptionConfiguration"] == {"encryptionType": "KMS", "kmsKey": "alias/images"}
    assert parameters["tags"] == [{"Key": "owner", "Value": "platform"}]


def test_the_lifecycle_expires_untagged_images_and_all_but_the_last():
    untagged, tagged = json.loads(lifecycle_policy(FULL.lifecycle))["rules"]
    assert untagged["selection"] == {
        "tagStatus": "untagged",
        "countType": "sinceImagePushed",
        "countUnit": "days",
        "countNumber": 14,
    }
    assert (tagged["selection"]["tagStatus"], tagged["selection"]["countNumber"]) == ("tagged", 50)


def test_nothing_to_expire_is_no_policy():
    assert lifecycle_policy(Lifecycle()) is None
