"""What a configuration comes to: every value that holds, defaults included, and no secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.formats.units import duration
from syncer.settings.proxies import shown_proxy
from syncer.settings.terms import Terms
from syncer.settings.timeouts import Timeouts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syncer.settings.registries import Endpoint, Limits, RegistrySettings
    from syncer.settings.rules import Rule, Settings
    from syncer.settings.targets import TargetSettings


def effective(settings: Settings) -> Iterator[str]:
    """Registries with their mirrors, targets, rules; a line each."""
    names = dict.fromkeys([*settings.registries, *(rule.source.registry for rule in settings.rules)])
    for name in names:
        yield from _registry(settings.registry(name))
    for target in settings.targets.values():
        yield from _target(target)
    yield from map(_rule, settings.rules)


def tags(rule: Rule) -> list[str]:
    """The tags, patterns or digest that a rule names."""
    return [*map(str, rule.tags.exact), *rule.tags.globs] or [str(rule.source.digest or rule.source.tag)]


def _registry(registry: RegistrySettings) -> Iterator[str]:
    yield f"registry {registry.name}: {_endpoint(registry.endpoint)}"
    ways = ", ".join(way.value for way in registry.resolve)
    yield f"  resolve: {ways}; keep_for: {_days(registry.keep_for)}"
    for mirror in registry.mirrors:
        yield f"  mirror {_endpoint(mirror.endpoint)}, trust {mirror.trust.value}, operator {mirror.operator}"


def _endpoint(endpoint: Endpoint) -> str:
    parts = [f"{endpoint.origin}/{endpoint.prefix}".rstrip("/"), _limits(endpoint.limits)]
    parts += [f"as {endpoint.auth.username}"] if endpoint.auth else []
    parts += [f"through {shown_proxy(endpoint.proxy)}"] if endpoint.proxy else []
    parts += [f"CA {endpoint.tls.ca}"] if endpoint.tls.ca else []
    parts += [f"tokens also from {', '.join(map(str, endpoint.token_realms))}"] if endpoint.token_realms else []
    parts += [f"uploads also to {', '.join(map(str, endpoint.upload_hosts))}"] if endpoint.upload_hosts else []
    parts += [_timeouts(endpoint.timeouts)] if endpoint.timeouts != Timeouts() else []
    parts += [] if endpoint.tls.verify else ["certificate not verified"]
    return ", ".join(parts)


def _timeouts(timeouts: Timeouts) -> str:
    floor = f"at least {timeouts.floor:g} bytes/s over {timeouts.window:g} s" if timeouts.floor else "any rate"
    return f"{timeouts.connect:g} s to connect, {timeouts.headers:g} s to answer, {timeouts.stall:g} s a stall, {floor}"


def _limits(limits: Limits) -> str:
    parts = [f"{limits.in_flight} in flight"]
    parts += [f"{limits.per_second:g} a second"] if limits.per_second else []
    parts += [f"bandwidth {limits.bandwidth}"] if limits.bandwidth else []
    return ", ".join(parts)


def _target(target: TargetSettings) -> Iterator[str]:
    who = (
        " ".join(filter(None, [target.role_arn and f"role {target.role_arn}", target.profile])) or "default credentials"
    )
    yield f"target {target.name}: {'/'.join(filter(None, [target.registry, target.prefix]))}, {who}"
    made = target.repositories
    if made.create:
        scan = ", scan on push" if made.scan_on_push else ""
        yield f"  missing repositories are created: {made.tag_mutability.value}, {made.encryption.type.value}{scan}"
    else:
        yield "  missing repositories are not created"


def _rule(rule: Rule) -> str:
    tag = f":{rule.rename}" if rule.rename else ""
    platforms = f", only {', '.join(map(str, rule.platforms.only))}" if rule.platforms else ""
    referrers = ", with referrers" if rule.referrers else ""
    source = f"{rule.source.name} [{', '.join(tags(rule))}]"
    return f"{source} -> {rule.repository}{tag} at {', '.join(rule.targets)}{platforms}{referrers}{_terms(rule.terms)}"


def _terms(terms: Terms) -> str:
    """Those that are not the usual ones."""
    usual = Terms()
    parts = [f"within {_days(terms.deadline)}"] if terms.deadline != usual.deadline else []
    choices = {name: getattr(terms, name) for name in ("foreign_layers", "overwrite", "rollback")}
    parts += [f"{name} {made.value}" for name, made in choices.items() if made is not getattr(usual, name)]
    return "".join(f", {part}" for part in parts)


def _days(seconds: float) -> str:
    days = seconds / 86400
    return f"{days:g}d" if days == int(days) else duration(seconds)
