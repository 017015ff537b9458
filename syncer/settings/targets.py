"""Places to write to."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field


class TagMutability(enum.Enum):
    """Whether a tag at ECR can be moved. Source: ECR API, CreateRepository."""

    MUTABLE = "MUTABLE"
    IMMUTABLE = "IMMUTABLE"
    IMMUTABLE_WITH_EXCLUSION = "IMMUTABLE_WITH_EXCLUSION"
    MUTABLE_WITH_EXCLUSION = "MUTABLE_WITH_EXCLUSION"


class EncryptionType(enum.Enum):
    """How ECR encrypts a repository. Source: ECR API, EncryptionConfiguration."""

    AES256 = "AES256"
    KMS = "KMS"
    KMS_DSSE = "KMS_DSSE"


@dataclass(frozen=True, slots=True)
class Encryption:
    """Encryption of a new repository; it cannot be changed later."""

    type: EncryptionType = EncryptionType.AES256
    kms_key: str | None = None


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """What ECR removes by itself."""

    untagged_after_days: int | None = None
    keep_last: int | None = None  # images with a tag


@dataclass(frozen=True, slots=True)
class RepositorySettings:
    """What an ECR repository that syncer creates looks like."""

    create: bool = True
    tag_mutability: TagMutability = TagMutability.MUTABLE
    mutability_exclusions: tuple[str, ...] = ()
    scan_on_push: bool = False
    encryption: Encryption = field(default_factory=Encryption)
    lifecycle: Lifecycle = field(default_factory=Lifecycle)
    tags: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class TargetSettings:
    """A registry to write to, by the name that the file gives it."""

    name: str
    registry: str  # host[:port], optionally with a repository prefix cut off into `prefix`
    prefix: str = ""  # put before every repository name at this target
    profile: str | None = None  # AWS profile; None: boto3's default chain
    role_arn: str | None = None
    external_id: str | None = None
    sparse_indexes: bool = False  # it takes an index without all of its children; ECR and docker-registry do not
    repositories: RepositorySettings = field(default_factory=RepositorySettings)
