"""The shape of mirrors.yaml: every key, with its meaning for people, for the loader and for editors."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from syncer.config import values
from syncer.config.values import Template, Url, reads
from syncer.oci.origin import Origin
from syncer.oci.platform import Platform
from syncer.oci.reference import Reference
from syncer.settings.bandwidth import Timetable
from syncer.settings.registries import Trust, Way
from syncer.settings.rules import Rewrite
from syncer.settings.targets import EncryptionType, TagMutability
from syncer.settings.terms import ForeignLayers, Overwrite, Rollback

ALL_PLATFORMS = "all"


class Strict(BaseModel):
    """A mapping that has these keys and no others."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, defer_build=True)


def _one_or_more(value: Any) -> Any:
    if isinstance(value, list) and not value:
        values.refuse("E105", "must not be empty; leave the key out for its default")
    return [value] if isinstance(value, str | dict) else value


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _short_mirror(value: Any) -> Any:
    return {"url": value} if isinstance(value, str) else value


def _short_platforms(value: Any) -> Any:
    return value if isinstance(value, dict) else {"only": value}


def _platforms(value: Any) -> Any:
    return [] if value == ALL_PLATFORMS else _one_or_more(value)


def _tags(value: Any) -> Any:
    if isinstance(value, dict):
        values.refuse(
            "E109", "choosing tags by version comes with a later version; list them, or use globs such as 1.27*"
        )
    return _one_or_more(value)


ListOf = BeforeValidator(_one_or_more)
Source = Annotated[Reference, reads(values.source)]
Name = Annotated[str, Field(min_length=1)]
Timeout = Annotated[float | None, reads(values.timeout)]
Bandwidth = Annotated[Timetable | None, reads(values.bandwidth)]


class Limits(Strict):
    """How hard one host may be worked; pull and push count apart."""

    in_flight: int | None = Field(
        None, ge=1, le=1024, description="requests in flight at once; default: 64, docker.io 16, mirrors 8"
    )
    per_second: float | None = Field(
        None, ge=0, le=10_000, description="requests started per second; 0: no rate (the default but for docker.io: 20)"
    )
    bandwidth: Bandwidth = Field(
        None, description="bytes of blobs per second, in each direction: 10M, or 08:00,10M 23:00,off; default: off"
    )


class Tls(Strict):
    """How a host proves who it is."""

    ca: str | None = Field(
        None, description="a PEM file, relative to this one, whose authorities are trusted besides the system's"
    )
    verify: bool = Field(default=True, description="false: believe any certificate; for tests only")
    plain_http: bool | None = Field(
        None, description="true: no TLS at all; default: only for loopback hosts without `ca`"
    )


class Timeouts(Strict):
    """How long each part of a request to a host may take."""

    connect: Timeout = Field(None, description="to make a connection, TCP and TLS together; default: 15s")
    headers: Timeout = Field(
        None, description="to the head of an answer; twice that for a manifest that is put; default: 60s"
    )
    stall: Timeout = Field(None, description="without a byte while a body is read or sent; default: 30s")
    floor: Annotated[float | None, reads(values.floor)] = Field(
        None, description="bytes per second that must come on average over `window`, or off; default: 1024"
    )
    window: Timeout = Field(None, description="seconds of waiting over which `floor` is measured; default: 120s")


class Auth(Strict):
    """A user name and its password or token; an empty user name is no auth."""

    username: str = Field(description="the user; empty: no credential is used")
    password: str | None = Field(None, description="the password or access token, as ${VARIABLE} or file:PATH")
    password_file: str | None = Field(None, description="a file, relative to this one, that holds the password")


class Endpoint(Strict):
    """What a registry and a mirror have in common."""

    auth: Auth | None = Field(
        None, description="user name and password; default: docker's configuration for a registry, none for a mirror"
    )
    limits: Limits = Field(Limits(), description="how hard this host may be worked")
    tls: Tls = Field(Tls(), description="certificates, or plain HTTP")
    proxy: Annotated[str, reads(values.proxy)] = Field(
        "", description="http://host:port; default: the environment's proxy variables"
    )
    token_realms: Annotated[list[Annotated[Origin, reads(Origin.parse)]], ListOf] = Field(
        [], description="other hosts that this host's credential may be shown to, to get a token"
    )
    upload_hosts: Annotated[list[Annotated[Origin, reads(Origin.parse)]], ListOf] = Field(
        [], description="other hosts that this host may have blobs sent to; they get no credential"
    )
    timeouts: Timeouts = Field(Timeouts(), description="how long this host may take; default: `defaults.timeouts`")


class Mirror(Endpoint):
    """A pull-through endpoint that serves another registry's content."""

    url: Annotated[Url, reads(values.url)] = Field(
        description="https://host[:port][/prefix]; the path is put before every repository"
    )
    trust: Annotated[Trust, BeforeValidator(_lower)] = Field(
        Trust.CONTENT, description="content: bytes by digest only; tags: may also say what a tag means"
    )
    operator: Annotated[str, reads(values.operator)] = Field(
        "", description="who runs it; default: the registrable domain of its host"
    )


class Registry(Endpoint):
    """How one registry is reached, and who says what its tags mean."""

    mirrors: Annotated[
        list[Annotated[Mirror, BeforeValidator(_short_mirror, json_schema_input_type=str | Mirror)]], ListOf
    ] = Field([], description="where bytes come from first; the registry itself comes last")
    resolve: Annotated[list[Annotated[Way, BeforeValidator(_lower)]], ListOf] = Field(
        [],
        description="who says what a tag means, in this order: origin, agreement (of two operators' mirrors), "
        "mirror (one with trust: tags), plan; default: origin, agreement, and mirror if one is trusted",
    )
    keep_for: Annotated[float | None, reads(values.duration)] = Field(
        None, description="how long a confirmed tag stands in for an origin that does not answer; default 7d"
    )


class Encryption(Strict):
    """Encryption of a new repository."""

    type: Annotated[EncryptionType, BeforeValidator(_upper)] = Field(
        EncryptionType.AES256, description="how ECR encrypts it"
    )
    kms_key: str | None = Field(None, description="the ARN of a key of yours, with KMS or KMS_DSSE")


class Lifecycle(Strict):
    """What ECR removes by itself."""

    untagged_after_days: int | None = Field(
        None, ge=1, le=36_500, description="expire images without a tag after so many days"
    )
    keep_last: int | None = Field(None, ge=1, le=100_000, description="keep that many images with a tag")


class Repositories(Strict):
    """What an ECR repository that syncer creates looks like."""

    create: bool = Field(default=True, description="create missing repositories")
    tag_mutability: Annotated[TagMutability, BeforeValidator(_upper)] = Field(
        TagMutability.MUTABLE, description="whether a tag can be moved"
    )
    mutability_exclusions: Annotated[list[Name], ListOf] = Field(
        [], description="tags that the ..._WITH_EXCLUSION forms except, with *"
    )
    scan_on_push: bool = Field(default=False, description="let ECR scan what arrives")
    encryption: Encryption = Field(Encryption(), description="how ECR encrypts it; cannot be changed later")
    lifecycle: Lifecycle = Field(Lifecycle(), description="what ECR removes by itself")
    tags: dict[str, str] = Field({}, description="AWS resource tags")


class Target(Strict):
    """A registry to write to."""

    registry: Annotated[values.RegistryPath, reads(values.registry_path)] = Field(
        description="host[:port], with a path: put before every repository"
    )
    profile: str | None = Field(None, description="AWS profile (ECR); default: boto3's chain")
    role_arn: Annotated[str, reads(values.role_arn)] = Field("", description="IAM role to assume (ECR)")
    external_id: str | None = Field(None, description="external ID that the role asks for")
    sparse_indexes: bool = Field(
        default=False,
        description="this registry takes an index without all of its children (not ECR, not docker-registry)",
    )
    repositories: Repositories | None = Field(None, description="what an ECR repository that syncer creates looks like")


class Platforms(Strict):
    """The platforms that are copied."""

    only: Annotated[
        list[Annotated[Platform, reads(Platform.parse)]],
        BeforeValidator(_platforms),
    ] = Field(description="os/architecture[/variant], one or a list; all: everything")
    rewrite: Annotated[Rewrite, BeforeValidator(_lower)] = Field(
        Rewrite.AUTO, description="auto: a smaller index where a target takes no sparse one; never: blocked there"
    )


ShortPlatforms = Annotated[
    Platforms | None, BeforeValidator(_short_platforms, json_schema_input_type=list[str] | Platforms)
]
TargetNames = Annotated[list[Name], ListOf]


OnForeignLayers = Annotated[ForeignLayers | None, BeforeValidator(_lower)]
MayOverwrite = Annotated[Overwrite | None, BeforeValidator(_lower)]
MayRollBack = Annotated[Rollback | None, BeforeValidator(_lower)]


class Terms(Strict):
    """On what terms an image is copied."""

    deadline: Timeout = Field(None, description="how long one image may take once its copying has begun; default: 2h")
    foreign_layers: OnForeignLayers = Field(
        None,
        description="layers that the registry does not hold: fail (the default) blocks the image, skip copies the rest",
    )
    overwrite: MayOverwrite = Field(
        None,
        description="which tags at the targets may be moved: ours (the default), known to be written by syncer; any",
    )
    rollback: MayRollBack = Field(
        None,
        description="who may move a tag back to what it meant before: origin (the default), no mirror; allow; refuse",
    )


class Defaults(Terms):
    """What images get that do not say otherwise."""

    targets: TargetNames | None = Field(None, description="names from `targets`")
    target: Annotated[Template, reads(values.default_template)] = Field(
        Template("{repository}", None), description="a repository with {registry}, {repository} and {name}"
    )
    platforms: ShortPlatforms = Field(None, description="which platforms; default: all")
    referrers: bool = Field(
        default=False, description="copy signatures, SBOMs and attestations that refer to the images"
    )
    timeouts: Timeouts = Field(Timeouts(), description="how long a host may take; default: see there")


class Image(Terms):
    """One rule: from where, which tags, to where."""

    source: Source = Field(
        description="an image as Docker names it: nginx, nginx:1.27, quay.io/org/app, busybox@sha256:..."
    )
    target: Annotated[Template | None, reads(values.template)] = Field(
        None, description="repository[:tag] at the targets; default: `defaults.target`"
    )
    tags: (
        Annotated[
            list[Annotated[str, reads(values.tag_or_glob)]],
            BeforeValidator(_tags),
        ]
        | None
    ) = Field(None, description="tags, or patterns with * ? [...]; default: the source's own, else latest")
    targets: TargetNames | None = Field(None, description="names from `targets`; default: `defaults.targets`")
    platforms: ShortPlatforms = Field(None, description="which platforms; default: `defaults.platforms`")
    referrers: bool | None = Field(None, description="copy what refers to the image; default: `defaults.referrers`")


class Top(Strict):
    """The file's own keys; what is below them is checked piece by piece, so that one mistake hides no other."""

    version: Annotated[int, reads(values.version)] = Field(description="the version of this format: 1")
    registries: dict[str, Any] = Field({}, description="settings per registry host, each optional")
    targets: dict[str, Any] = Field(min_length=1, description="places to write to, by names of your own")
    defaults: Any = Field({}, description="what images get that do not say otherwise")
    images: list[Any] = Field(min_length=1, description="the rules: which images go where")


class Document(Top):
    """The whole file."""

    registries: dict[str, Registry] = Field({}, description="settings per registry host, each optional")
    targets: dict[str, Target] = Field(min_length=1, description="places to write to, by names of your own")
    defaults: Defaults = Field(Defaults(), description="what images get that do not say otherwise")
    images: list[Image] = Field(min_length=1, description="the rules: which images go where")
