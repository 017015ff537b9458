"""Connections that are opened while it is still found out what to ask: each takes three round trips."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from syncer.app.kinds import target_kind
from syncer.planning.wishes import target_name

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from syncer.app.parts import Parts
    from syncer.selection.images import Choice
    from syncer.settings.rules import Settings
    from syncer.state.records import State


@asynccontextmanager
async def connecting(parts: Parts, state: State, choice: Choice) -> AsyncIterator[None]:
    """Open the connections that planning is going to need, until the block ends."""
    counts = expected(parts.settings, state, choice)
    tasks = [asyncio.create_task(parts.clients.connect(parts.endpoint(name), n)) for name, n in counts.items()]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def expected(settings: Settings, state: State, choice: Choice) -> Counter[str]:
    """How many tags will be looked at, by registry: as many as were mirrored before, and one of each rule at least.

    Targets at ECR are asked through AWS's API. What --only and --skip leave of a file shows too late to be counted.
    """
    counts: Counter[str] = Counter()
    if choice.only or choice.skip:
        return counts
    for rule in settings.rules:
        targets = [settings.targets[name] for name in rule.targets]
        seen = max((state.tags(target_name(target, rule.repository)) for target in targets), default=0)
        tags = max(seen, len(rule.tags.exact), 1)
        counts[rule.source.registry] += tags
        counts.update({target.registry: tags for target in targets if target_kind(target.registry) == "oci"})
    return counts
