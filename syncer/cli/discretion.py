"""What a run learned that is secret is kept out of what it says, also when a server says it back to us."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from syncer.report.events import ImageFinished, Noted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from syncer.credentials.keychain import Credential, Keychain
    from syncer.errors import Failure
    from syncer.oci.origin import Origin
    from syncer.oci.said import Said
    from syncer.plan.model import Plan
    from syncer.report.events import Event, Observer
    from syncer.report.model import Outcome, Report

    Redact = Callable[[str], str]


class Discreet:
    """A Keychain whose answers are told to `hide`: passwords that stand neither in mirrors.yaml nor in a variable."""

    def __init__(self, inner: Keychain, hide: Callable[[Iterable[str]], None]) -> None:
        self._inner = inner
        self._hide = hide

    async def credential(self, origin: Origin) -> Credential | None:
        """What the inner keychain says."""
        return self._hidden(await self._inner.credential(origin))

    async def renew(self, origin: Origin) -> Credential | None:
        """What the inner keychain says."""
        return self._hidden(await self._inner.renew(origin))

    def _hidden(self, credential: Credential | None) -> Credential | None:
        if credential is not None:
            secrets = filter(None, (credential.password, credential.refresh_token))
            self._hide([secret.reveal() for secret in secrets])
        return credential


def observed(observe: Observer, redact: Redact) -> Observer:
    """`observe`, told events without secrets."""

    def told(event: Event) -> None:
        match event:
            case ImageFinished(outcome):
                observe(ImageFinished(_outcome(outcome, redact)))
            case Noted(text):
                observe(Noted(redact(text)))
            case _:
                observe(event)

    return told


def reported(report: Report, redact: Redact) -> Report:
    """`report` without secrets."""
    return replace(
        report,
        outcomes=tuple(_outcome(outcome, redact) for outcome in report.outcomes),
        hosts=tuple(replace(host, blamed=host.blamed and redact(host.blamed)) for host in report.hosts),
        warnings=tuple(map(redact, report.warnings)),
    )


def planned(plan: Plan, redact: Redact) -> Plan:
    """`plan` without secrets."""
    return replace(
        plan,
        copies=tuple(replace(copy, said=_said(copy.said, redact)) for copy in plan.copies),
        skips=tuple(
            replace(skip, said=_said(skip.said, redact), warning=_failure(skip.warning, redact)) for skip in plan.skips
        ),
        lost=tuple(
            replace(lost, said=_said(lost.said, redact), failure=_without(lost.failure, redact)) for lost in plan.lost
        ),
        warnings=tuple(map(redact, plan.warnings)),
    )


def _outcome(outcome: Outcome, redact: Redact) -> Outcome:
    if outcome.failure is None and not outcome.said:
        return outcome
    return replace(outcome, failure=_failure(outcome.failure, redact), said=_said(outcome.said, redact))


def _said(said: tuple[Said, ...], redact: Redact) -> tuple[Said, ...]:
    return tuple(replace(each, failure=_failure(each.failure, redact)) if each.failure else each for each in said)


def _failure(failure: Failure | None, redact: Redact) -> Failure | None:
    return None if failure is None else _without(failure, redact)


def _without(failure: Failure, redact: Redact) -> Failure:
    return replace(failure, message=redact(failure.message), hint=redact(failure.hint))
