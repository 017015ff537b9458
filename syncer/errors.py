"""Every error that a user can meet: its code, its place in the exit code, and the next step.

    SyncerError
    ├─ BeforeWork       E1  nothing was touched           ConfigError, Usage, NothingSelected, LockHeld, …
    ├─ CredentialError  E2  who are we                    Unauthorized, Denied, HelperFailed, RealmRefused, …
    ├─ TargetError      E3  the target says no            RepositoryMissing, TagImmutable, ManifestRefused, …
    ├─ IntegrityError   E4  bytes are not what was asked  CorruptContent, NoHonestSource, LandedDiffers, …
    ├─ NetworkError     E5  between us and a host         Unreachable, TimedOut, TooManyRequests, NotFound, …
    ├─ MirrorError      E6  what a tag means is unknown   Unresolved, MirrorUnusable
    └─ Bug              E9  anything else

What is arranged here is what the caller does next: `transient` says that the same step may succeed when it is
repeated; `blocked` says that only a person can change the answer. `docs/errors.md` explains each code, and
`syncer explain CODE` prints that page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class SyncerError(Exception):
    """Something that a user can act on; whatever else escapes is a bug."""

    code: ClassVar[str] = "E900"
    transient: ClassVar[bool] = False
    blocked: ClassVar[bool] = False
    next_step: ClassVar[str] = ""
    """What to do about it; HOST stands for the host, REGISTRY for the name that users give it."""

    def __init__(self, message: str, *, hint: str | None = None, host: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = _filled_in(self.next_step, host or "HOST") if hint is None else hint
        self.host = host

    def __str__(self) -> str:
        return self.message


def _filled_in(next_step: str, host: str) -> str:
    """Docker Hub is the one registry whose API has another name than its images."""
    registry = "docker.io" if host == "registry-1.docker.io" else host
    return next_step.replace("HOST", host).replace("REGISTRY", registry)


@dataclass(frozen=True, slots=True)
class Failure:
    """A `SyncerError` as data: what plans and reports keep of it."""

    code: str
    message: str
    hint: str = ""
    host: str | None = None

    @classmethod
    def of(cls, error: SyncerError) -> Failure:
        """Keep what a person needs of `error`."""
        return cls(error.code, error.message, error.hint, error.host)


def leaves(error: BaseException) -> Iterator[BaseException]:
    """Every exception in a group, however deep; a plain exception is its own leaf."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from leaves(inner)
    else:
        yield error


# --- E1: before any work ------------------------------------------------------------------------------------------


class BeforeWork(SyncerError):
    """The run ended before it touched anything."""

    code = "E100"
    exit_code: ClassVar[int] = 2


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a configuration file; `line` and `column` count from 1, and are 0 for the file as a whole."""

    code: str
    message: str
    line: int = 0
    column: int = 0
    excerpt: str = ""
    """The line itself, for the caret."""


class ConfigError(BeforeWork):
    """The configuration has mistakes; all of them are listed."""

    code = "E100"
    next_step = "correct the lines named above; `syncer explain CODE` tells more about each"

    def __init__(self, path: str, problems: Sequence[Problem]) -> None:
        count = len(problems)
        super().__init__(f"{path}: {count} mistake{'' if count == 1 else 's'}")
        self.path = path
        self.problems = tuple(problems)


CONFIG_CODES = {
    "E101": "the file cannot be read as YAML",
    "E102": "unknown key",
    "E103": "a required key is missing",
    "E104": "duplicate key",
    "E105": "a value of the wrong kind",
    "E106": "an undefined variable",
    "E107": "the file is empty",
    "E108": "the file is too large, too deep or expands too far",
    "E109": "comes with a later version",
    "E110": "two sources write one target",
    "E111": "unknown target",
    "E112": "not a valid reference, tag, digest, host or platform",
    "E113": "a file that the configuration names cannot be read",
    "E114": "a bad template",
}
"""The codes of `Problem`, with their titles."""


class Usage(BeforeWork):
    """The command line does not make sense."""

    code = "E120"
    next_step = "see `syncer COMMAND --help`"


class NothingSelected(BeforeWork):
    """No image is left after --only, --skip and the rules' own tags."""

    code = "E121"
    next_step = "check --only and --skip against `syncer plan`, or say --allow-empty if that is what you mean"


class StalePlan(BeforeWork):
    """The plan does not belong to this configuration, or cannot be read."""

    code = "E122"
    next_step = "make a new one: syncer plan --out plan.json"


class LockHeld(BeforeWork):
    """Another run works with the same configuration file."""

    code = "E123"
    exit_code = 7
    next_step = "wait for it to end; the lock goes away with its process"


class OutputUnwritable(BeforeWork):
    """A file that was asked for (report, plan, state) cannot be written."""

    code = "E124"
    next_step = "check that the directory exists, is writable and has room"


# --- E2: credentials ----------------------------------------------------------------------------------------------


class CredentialError(SyncerError):
    """A registry does not let us in."""

    code = "E200"


class Unauthorized(CredentialError):
    """401 after a fresh token: no credential, a wrong one, or a repository that does not exist for us."""

    code = "E201"
    next_step = "check the name, then `registries.REGISTRY.auth` in mirrors.yaml or `docker login REGISTRY`"


class Denied(CredentialError):
    """403: known, and not allowed."""

    code = "E202"
    next_step = "grant the permission that the message names"


class HelperFailed(CredentialError):
    """A docker credential helper is missing or fails."""

    code = "E203"
    next_step = "run `docker-credential-NAME get` by hand, or remove it from docker's config.json"


class AwsCredentials(CredentialError):
    """boto3 finds no credentials for a target, or AWS refuses them."""

    code = "E204"
    next_step = "check the target's `profile` or `role_arn` with `aws sts get-caller-identity`"


class RealmRefused(CredentialError):
    """A registry asks for a token at a place that its credential was not given for."""

    code = "E205"
    next_step = "if that host is right, name it in `registries.REGISTRY.token_realms`"


class TokenServiceFailed(CredentialError):
    """The token service answers, but gives no usable token."""

    code = "E206"
    transient = True
    next_step = "try again later; if it lasts, ask the registry's operator"


# --- E3: the target says no ---------------------------------------------------------------------------------------


class TargetError(SyncerError):
    """A target refuses what it is given."""

    code = "E300"


class RepositoryMissing(TargetError):
    """The target has no such repository, and syncer may not create it."""

    code = "E301"
    next_step = "create it, or set `repositories: {create: true}` for that target"


class TagImmutable(TargetError):
    """The tag exists with another digest and cannot be moved."""

    code = "E302"
    blocked = True
    next_step = "mirror to another tag, delete the old one, or make the repository's tags mutable"


class ManifestRefused(TargetError):
    """The target does not accept a manifest."""

    code = "E303"
    next_step = "the message has the registry's own words; `syncer verify` shows what is there"


class UploadRefused(TargetError):
    """The target does not accept a blob."""

    code = "E304"
    transient = True
    next_step = "try again; if it lasts, the message has the registry's own words"


class EmptyBlobRefused(TargetError):
    """The image has a zero-length blob, which Amazon ECR cannot store."""

    code = "E305"
    blocked = True
    next_step = "mirror another tag, or rebuild the image without the empty layer"


class RewriteForbidden(TargetError):
    """Only some platforms are wanted, the target takes no sparse index, and `rewrite: never` forbids a smaller one."""

    code = "E306"
    blocked = True
    next_step = "set `platforms: {rewrite: auto}`, or mirror all platforms"


class QuotaExceeded(TargetError):
    """An AWS quota is used up."""

    code = "E307"
    next_step = "raise the quota in Service Quotas, or remove old images"


class UnsupportedManifest(TargetError):
    """The image has a manifest that cannot be mirrored byte for byte (Docker schema 1)."""

    code = "E308"
    blocked = True
    next_step = "pull and push it again with a current Docker, then mirror the result"


class ForeignLayer(TargetError):
    """A layer is not in the registry: the manifest names a URL elsewhere, from which syncer never fetches."""

    code = "E309"
    blocked = True
    next_step = "mirror an image without foreign layers, or copy the rest: `foreign_layers: skip`"


class AwsRefused(TargetError):
    """The ECR API refuses a call."""

    code = "E310"
    next_step = "the message has AWS's own words"


class PlatformMissing(TargetError):
    """The image does not exist for a platform that `platforms` asks for."""

    code = "E311"
    blocked = True
    next_step = "choose among the platforms that the message lists"


class NotOurs(TargetError):
    """The tag means something at the target that syncer is not known to have put there."""

    code = "E312"
    blocked = True
    next_step = "mirror to another tag, or let it be replaced: --overwrite for once, `overwrite: any` in mirrors.yaml"


# --- E4: integrity ------------------------------------------------------------------------------------------------


class IntegrityError(SyncerError):
    """Bytes are not what their name says."""

    code = "E400"


class CorruptContent(IntegrityError):
    """A host sent bytes that do not have the digest or size asked for; it is asked no more in this run."""

    code = "E401"
    transient = True
    next_step = "the host that the message names serves wrong bytes: remove it from `mirrors`, or tell its operator"


class NoHonestSource(IntegrityError):
    """Every place that has the content sent wrong bytes."""

    code = "E402"
    next_step = "add a mirror that serves the real content, or reach the origin directly"


class LandedDiffers(IntegrityError):
    """After it was put, the tag at the target means another digest."""

    code = "E403"
    next_step = "something else writes this tag: find it, then run syncer again"


class MalformedManifest(IntegrityError):
    """A manifest is not valid, or can be read in two ways."""

    code = "E404"
    next_step = "tell the image's publisher; it is not safe to mirror"


class CorruptAtTarget(IntegrityError):
    """A blob or manifest stored at the target does not have the bytes that its digest names."""

    code = "E405"
    next_step = "delete the image at the target and run `syncer sync` again"


# --- E5: network --------------------------------------------------------------------------------------------------


class NetworkError(SyncerError):
    """The way between us and a host, or the host itself, fails."""

    code = "E500"
    transient = True


class Unreachable(NetworkError):
    """No connection: DNS, refused, reset."""

    code = "E501"
    next_step = "check the name, the route and the proxy from this machine: curl -v https://HOST/v2/"


class TimedOut(NetworkError):
    """The host does not answer in time, or stops sending."""

    code = "E502"
    next_step = "try again; add a mirror if it lasts"


class Silent(TimedOut):
    """The host did not answer at first contact, or for minutes, and is not asked again in this run."""

    transient = False


class ServerError(NetworkError):
    """The host answers 5xx."""

    code = "E503"
    next_step = "try again later"


class TooManyRequests(NetworkError):
    """The host asks us to slow down (429)."""

    code = "E504"
    next_step = "lower `limits` for that host, log in, or add a mirror"

    def __init__(
        self, message: str, *, hint: str | None = None, host: str | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message, hint=hint, host=host)
        self.retry_after = retry_after
        """Seconds that the host asks for, if it says so."""


class PullBudgetSpent(TooManyRequests):
    """The registry's pull budget for this window is used up: waiting seconds does not help."""

    code = "E505"
    transient = False
    next_step = "wait for the window to pass, log in to Docker Hub, or add a mirror"


class Parked(TooManyRequests):
    """The host asks to be left alone for longer than a step waits."""

    code = "E515"
    transient = False
    next_step = "run the same command again when that time is over; what is finished is not done twice"


class TlsFailed(NetworkError):
    """The host's certificate is not trusted."""

    code = "E506"
    transient = False
    next_step = "name its CA in `tls: {ca: …}`; syncer never falls back to plain HTTP"


class ProtocolViolation(NetworkError):
    """The answer is not what the distribution specification allows (an HTML page, a broken length, a loop)."""

    code = "E507"
    next_step = "something in between answers for the host (portal, proxy): check with curl -v"


class NotFound(NetworkError):
    """The source has no such repository, tag, manifest or blob."""

    code = "E508"
    transient = False
    next_step = "check the name and the tag; it may have been deleted"


class RedirectRefused(NetworkError):
    """A host sends us to a place where syncer does not go (downgrade to http, another origin, too many hops)."""

    code = "E509"
    transient = False
    next_step = "if that place is right, configure it as a registry or mirror of its own"


class SourceMoved(NetworkError):
    """Since the plan was made, the tag means another digest at the source."""

    code = "E510"
    transient = False
    next_step = "make a new plan: syncer plan --out plan.json"


class RequestRefused(NetworkError):
    """A host refuses a request for a reason of its own (a 4xx that means nothing more specific)."""

    code = "E511"
    transient = False
    next_step = "the message has the host's own words"


class Interrupted(NetworkError):
    """The run was told to stop before this image was finished."""

    code = "E512"
    transient = False
    next_step = "run the same command again; what is finished is not done twice"


class TimeIsUp(NetworkError):
    """The time that `--max-duration` allows was over before this image was finished."""

    code = "E513"
    transient = False
    next_step = "run the same command again, or allow more time; what is finished is not done twice"


class DeadlinePassed(NetworkError):
    """An image took longer than its `deadline` allows; the others go on."""

    code = "E514"
    transient = False
    next_step = "run the same command again (what has landed is not sent twice), or allow the image a longer `deadline`"


# --- E6: mirrors --------------------------------------------------------------------------------------------------


class MirrorError(SyncerError):
    """Nobody whom the configuration trusts says what a tag means."""

    code = "E600"


class Unresolved(MirrorError):
    """The origin cannot be asked, and the mirrors do not settle it."""

    code = "E601"
    next_step = "pin a digest (source: NAME@sha256:…), add a mirror of another operator, or write `trust: tags` for one"

    def __init__(
        self, message: str, *, hint: str | None = None, host: str | None = None, said: Sequence[object] = ()
    ) -> None:
        super().__init__(message, hint=hint, host=host)
        self.said = tuple(said)
        """What each host that was asked answered: `oci.said.Said`, which this module may not see."""


class Unsettled(Unresolved):
    """The same, but one of the mirrors failed only for now: asking once more may settle it."""

    transient = True


class MirrorUnusable(MirrorError):
    """A mirror gives no usable answer; others are asked."""

    code = "E602"
    transient = True
    next_step = "remove it from `mirrors` if it lasts"


class RolledBack(MirrorError):
    """A tag would go back to what it meant before, and not by the word of its origin."""

    code = "E603"
    blocked = True
    next_step = "see which of the two is right; to go back, say --allow-rollback, or `rollback: allow` in mirrors.yaml"


# --- E9 -----------------------------------------------------------------------------------------------------------


class Bug(SyncerError):
    """Something that syncer did not expect."""

    code = "E900"
    next_step = "please report it with the output of `syncer version` and the lines above"
