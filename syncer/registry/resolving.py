"""Law 2 as pure functions: from what each host answered to what a tag means, and by whom."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncer.errors import (
    CredentialError,
    Denied,
    Failure,
    IntegrityError,
    NoHonestSource,
    NotFound,
    SyncerError,
    TargetError,
    TokenServiceFailed,
    TooManyRequests,
    Unreachable,
    Unresolved,
    Unsettled,
)
from syncer.oci.said import Said

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from syncer.oci.descriptor import Descriptor
    from syncer.oci.digest import Digest

OPERATORS = 2  # that must agree
LONGEST_WAIT = 120.0  # seconds that a step waits for an origin that asks for patience (`attempts.Policy`)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one host said when it was asked what a tag means: a descriptor or an error."""

    host: str
    operator: str = ""
    descriptor: Descriptor | None = None
    error: SyncerError | None = None

    @property
    def said(self) -> Said:
        """The same for plan and report."""
        digest = self.descriptor.digest if self.descriptor else None
        return Said(self.host, digest, Failure.of(self.error) if self.error else None)

    def __str__(self) -> str:
        if self.descriptor:
            return f"{self.host} says {self.descriptor.digest}"
        told = str(self.error)
        return told if self.host in told else f"{self.host}: {told}"


def is_final(error: SyncerError) -> bool:
    """Whether `error` is the origin's own word on a name, which no mirror may overrule.

    A 403 is not: Docker Hub and others refuse whole countries, where its mirrors are what is left; nor is a token
    service that is broken.
    """
    if isinstance(error, (Denied, TokenServiceFailed)):
        return False
    return isinstance(error, (NotFound, CredentialError, IntegrityError, TargetError))


def is_out_of_reach(error: SyncerError, *, answered: bool, shut: bool) -> bool:
    """Whether an origin that failed with `error` counts as unreachable, so that mirrors may speak for it.

    One that answered before in this run and now fails for a moment is asked again first; `shut` says that it failed
    too often for that.
    """
    if not error.transient or shut:
        return True
    if isinstance(error, TooManyRequests):
        return (error.retry_after or 0.0) > LONGEST_WAIT
    return not answered


def agreed(answers: Iterable[Answer]) -> Descriptor | None:
    """What mirrors of two operators say alike, if no other two say something else.

    An operator whose mirrors contradict each other has no voice.
    """
    voices: defaultdict[str, set[Digest]] = defaultdict(set)
    told: dict[Digest, Descriptor] = {}
    for answer in answers:
        if answer.descriptor is not None:
            voices[answer.operator].add(answer.descriptor.digest)
            told.setdefault(answer.descriptor.digest, answer.descriptor)
    single = [digest for digests in voices.values() if len(digests) == 1 for digest in digests]
    settled = [digest for digest in told if single.count(digest) >= OPERATORS]
    return told[settled[0]] if len(settled) == 1 else None


def unresolved(name: str, answers: Sequence[Answer], *, may_settle: bool) -> Unresolved:
    """Nobody who is believed says what `name` (`docker.io/library/nginx:1.27`) means: who said what, what to do."""
    kind = Unsettled if may_settle else Unresolved
    heard = "; ".join(map(str, answers)) or "there was nobody to ask"
    message = f"what {name} means is not settled: {heard}"
    return kind(message, hint=_way_out(name, answers), said=[answer.said for answer in answers])


def _way_out(name: str, answers: Sequence[Answer]) -> str:
    """What to do: with the very line to write into mirrors.yaml, where some host named a digest."""
    digests = list(dict.fromkeys(answer.descriptor.digest for answer in answers if answer.descriptor))
    image = name.rpartition(":")[0]
    pins = " or ".join(f"`source: {image}@{digest}`" for digest in digests) or f"`source: {image}@sha256:...`"
    operators = {answer.operator for answer in answers if answer.descriptor and answer.operator}
    more = "find out which is right" if len(operators) >= OPERATORS else "add a mirror of another operator"
    return (
        f"{more}, or pin a digest that you know to be right ({pins}), or write `trust: tags` for a mirror that you "
        "believe and `mirror` into `resolve`, or plan where the origin can be reached and run `syncer apply` here"
    )


def most_telling(
    what: str, origin: SyncerError | None, mirrors: Sequence[SyncerError], liars: Sequence[str]
) -> SyncerError:
    """The one error for content that nobody gave: what the origin and the mirrors answered, and who sent wrong bytes.

    First an error that is worth another attempt; then NoHonestSource where wrong bytes came; NotFound only if all say
    so.
    """
    errors = [*([origin] if origin else []), *mirrors]
    for error in errors:
        if error.transient:
            return error
    wrong = [*liars, *(error.host for error in errors if isinstance(error, NoHonestSource) and error.host)]
    if wrong:
        others = "".join(f"; {error}" for error in errors if not isinstance(error, NoHonestSource))
        return NoHonestSource(
            f"{what}: wrong bytes came from {', '.join(dict.fromkeys(wrong))}{others}", host=wrong[-1]
        )
    if not errors:
        return Unreachable(f"{what}: there is nobody left to ask")
    return next((error for error in errors if not isinstance(error, NotFound)), errors[0])
