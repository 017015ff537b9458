"""The world that a configuration names, played on loopback."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from syncer.oci.origin import Origin
from syncer.sandbox.images import image, populate
from syncer.settings.ecr_hosts import parse_host
from syncer.settings.registries import DOCKER_HUB, Tls, default_registry, origin_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from syncer.oci.platform import Platform
    from syncer.oci.reference import Reference
    from syncer.sandbox.store import Store
    from syncer.sandbox.world import World
    from syncer.settings.registries import MirrorSettings
    from syncer.settings.rules import Rule, Settings

PLATFORMS = ("linux/amd64", "linux/arm64")
UNTHROTTLED = 1000.0  # times ECR's quotas, since a demo should not wait for them


async def build(settings: Settings, world: World) -> None:
    """Everything that `settings` names: registries with an image for every exact tag, their mirrors, the targets."""
    stores = {name: await _registry(name, world) for name in _sources(settings)}
    for rule in settings.rules:
        for reference in references(rule):
            put(stores[reference.registry], reference, rule)
    for name, store in stores.items():
        registry = settings.registry(name)
        for mirror in registry.mirrors:
            await _mirror(mirror, store, world)
    await _targets(settings, world)


def references(rule: Rule) -> list[Reference]:
    """The images that a rule names one by one."""
    if rule.source.tag is not None:
        return [rule.source]
    return [rule.source.with_tag(tag) for tag in rule.tags.exact]


def put(store: Store, reference: Reference, rule: Rule, edition: str = "") -> str:
    """Make the image `reference` for the platforms that `rule` asks for, and say its digest.

    Images of one repository share their base layers; another `edition` is another image under the same tag.
    """
    only: tuple[Platform, ...] = rule.platforms.only if rule.platforms else ()
    platforms = tuple(dict.fromkeys([*PLATFORMS, *map(str, only)]))
    made = image(str(reference.repository), f"{reference.tag}{edition}", platforms)
    return populate(store, str(reference.repository), str(reference.tag), made)


def dial(world: World) -> Mapping[Origin, Origin]:
    """Where each played origin really is."""
    return {Origin.parse(played): Origin.parse(real) for played, real in world.dial.items()}


def _sources(settings: Settings) -> set[str]:
    return {rule.source.registry for rule in settings.rules}


async def _registry(name: str, world: World) -> Store:
    if name == DOCKER_HUB:
        return world.hub.store
    return (await world.add_registry(str(default_registry(name).endpoint.origin))).store


async def _mirror(mirror: MirrorSettings, store: Store, world: World) -> None:
    """A mirror in host form is open; one in prefix form wants tokens from elsewhere and lists no tags."""
    endpoint = mirror.endpoint
    url = f"{endpoint.origin}/{endpoint.prefix}".rstrip("/")
    realm = f"https://auth.{endpoint.origin.netloc}" if endpoint.prefix else None
    made = await world.add_mirror(url, store, realm=realm)
    made.mirror.lists_tags = not endpoint.prefix


async def _targets(settings: Settings, world: World) -> None:
    accounts: defaultdict[str, set[str]] = defaultdict(set)
    for target in settings.targets.values():
        if host := parse_host(target.registry):
            accounts[host.region].add(host.account)
        else:
            await world.add_registry(str(origin_of(target.registry, Tls())))
    for region, numbers in accounts.items():
        made = await world.add_region(region, *sorted(numbers))
        made.switches.quota_factor = UNTHROTTLED
