"""Settings and places become a plan; nothing is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC
from typing import TYPE_CHECKING

from syncer.errors import Failure, NothingSelected, SyncerError
from syncer.plan.model import Copy, Destination, Lost, Plan
from syncer.planning.decide import Decider
from syncer.planning.looks import Looks
from syncer.planning.wishes import Wanted, Wishes, destinations, sources, target_name
from syncer.selection.images import Choice
from syncer.selection.tags import select, selectors
from syncer.transfer.crowd import for_each

if TYPE_CHECKING:
    from syncer.attempts import Attempts
    from syncer.clock import Clock
    from syncer.content.places import Places
    from syncer.oci.names import Tag
    from syncer.planning.comparing import Decided
    from syncer.settings.rules import Rule, Settings
    from syncer.state.records import State

_AT_ONCE = 64  # images in flight; what each asks for is bounded again by the limits of its hosts


@dataclass(slots=True)
class _Selected:
    """What the rules come to."""

    wishes: Wishes = field(default_factory=Wishes)
    warnings: list[str] = field(default_factory=list)


async def make_plan(
    settings: Settings, places: Places, state: State, clock: Clock, attempts: Attempts, choice: Choice | None = None
) -> Plan:
    """What has to be done so that every target has what its rules ask for.

    Lists, resolves and compares, and reads the manifests of what is to be copied. An image that cannot be planned is
    in the plan as Lost. Raises NothingSelected unless `choice` allows it.
    """
    choice = choice or Choice()
    looks = Looks(places, attempts, settings.targets)
    selected = await _selected(settings, looks, choice)
    wishes = selected.wishes
    if not wishes.images and not wishes.lost and not choice.allow_empty:
        raise NothingSelected(f"{settings.path}: no image is selected. {' '.join(selected.warnings)}".rstrip())
    decided = await _decided(wishes, looks, Decider(settings, looks, state, clock, attempts))
    return Plan(
        settings.path,
        settings.sha256,
        clock.now().astimezone(UTC).isoformat(),
        tuple(copy for each in decided for copy in each.copies),
        tuple(skip for each in decided for skip in each.skips),
        tuple(wishes.lost) + tuple(lost for each in decided for lost in each.lost),
        tuple(looks.creates),
        tuple(selected.warnings) + tuple(_left_out(copy) for each in decided for copy in each.copies if copy.left_out),
    )


def _left_out(copy: Copy) -> str:
    return (
        f"{copy.source}: {len(copy.left_out)} layers that its registry does not hold stay where they are, as "
        "`foreign_layers: skip` says; whoever pulls the image has to reach them there"
    )


async def _decided(wishes: Wishes, looks: Looks, decider: Decider) -> list[Decided]:
    for wished in wishes.images.values():
        looks.expect(wished)
    found: dict[Wanted, Decided] = {}

    async def decide(wanted: Wanted) -> None:
        found[wanted] = await decider.decide(wanted, wishes.images[wanted])

    await for_each(wishes.images, decide, _AT_ONCE)
    return [found[wanted] for wanted in wishes.images]


async def _selected(settings: Settings, looks: Looks, choice: Choice) -> _Selected:
    """List where a rule needs it, then put together what all rules want, in their order."""
    listed: dict[int, list[Tag] | SyncerError] = {}

    async def list_tags(position: int) -> None:
        listed[position] = await _tags(settings.rules[position], looks)

    await for_each(range(len(settings.rules)), list_tags, _AT_ONCE)
    selected = _Selected()
    for position, rule in enumerate(settings.rules):
        _select(selected, settings, rule, listed[position], choice)
    return selected


async def _tags(rule: Rule, looks: Looks) -> list[Tag] | SyncerError:
    """The tags that `rule` selects; the source is asked for its list only where a selector must see it."""
    if rule.source.digest is None and rule.source.tag is not None:
        return [rule.source.tag]
    choosers = selectors(rule.tags)
    needed = rule.source.digest is None and any(chooser.listing for chooser in choosers)
    try:
        return select(choosers, await looks.tags(rule.source) if needed else ())
    except SyncerError as error:
        return error


def _select(selected: _Selected, settings: Settings, rule: Rule, tags: list[Tag] | SyncerError, choice: Choice) -> None:
    if isinstance(tags, SyncerError):
        lost = _unlisted(settings, rule, tags, choice)
        selected.wishes.lost += [lost] if lost.destinations else []
        return
    images = sources(rule, tags)
    if not images:
        selected.warnings.append(_nothing(settings, rule))
    for source in images:
        wanted = Wanted(source, rule.platforms, rule.referrers, rule.terms)
        selected.wishes.add(wanted, destinations(rule, source, settings, choice))


def _unlisted(settings: Settings, rule: Rule, error: SyncerError, choice: Choice) -> Lost:
    """A rule whose tags nobody tells: its repositories stand for the images that are not known."""
    names = [(name, target_name(settings.targets[name], rule.repository)) for name in rule.targets]
    meant = tuple(Destination(name, to) for name, to in names if choice.takes(rule.source, to))
    return Lost(rule.source, meant, Failure.of(error), error.blocked)


def _nothing(settings: Settings, rule: Rule) -> str:
    where = f"{settings.path}:{rule.line}: {rule.source.name}"
    if not rule.tags.globs:
        return f"{where}: `tags` is empty, so nothing is mirrored."
    return f"{where}: no tag matches {', '.join(rule.tags.globs)}."
