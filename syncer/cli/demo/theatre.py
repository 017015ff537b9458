"""What the scenes share: the world, the state from run to run, and where they speak."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from syncer.app.parts import Outside
from syncer.app.session import Task, session
from syncer.cli.demo import stage
from syncer.cli.progress.choice import chosen
from syncer.clock import SystemClock
from syncer.credentials.static import StaticKeychain
from syncer.engine.stop import Stop
from syncer.report import schema
from syncer.report.events import unseen
from syncer.settings.registries import DOCKER_HUB
from syncer.settings.secret import Secret
from syncer.state.memory import MemoryState

if TYPE_CHECKING:
    from syncer.cli.options import Options
    from syncer.oci.reference import Reference
    from syncer.report.model import Report
    from syncer.sandbox.world import World
    from syncer.settings.registries import MirrorSettings
    from syncer.settings.rules import Rule, Settings


class Theatre:
    """A world, and the runs that are made in it."""

    def __init__(self, settings: Settings, world: World, options: Options) -> None:
        self.settings = settings
        self.world = world
        self.clock = SystemClock()
        self.began = self.clock.monotonic()
        self._options = options
        self._state = MemoryState()
        self._scenes: list[dict[str, Any]] = []

    def say(self, *lines: str) -> None:
        """Print lines, on stderr where stdout is for JSON; -q wants none."""
        for line in () if self._options.quiet else lines:
            click.echo(line, err=self._options.output == "json")

    def title(self, text: str) -> None:
        """Announce the next scene."""
        self._scenes.append({"title": text, "reports": []})
        self.say("", f"{len(self._scenes)}. {text}")

    def close(self, exit_code: int) -> None:
        """Print the one document of -o json."""
        if self._options.output == "json":
            head = {"schema_version": schema.SCHEMA_VERSION, "exit_code": exit_code}
            click.echo(json.dumps(head | {"scenes": self._scenes}, indent=2))

    @property
    def mirrors(self) -> tuple[MirrorSettings, ...]:
        """The mirrors of Docker Hub."""
        registry = self.settings.registries.get(DOCKER_HUB)
        return registry.mirrors if registry else ()

    def hub_images(self, number: int) -> tuple[Rule, Reference] | None:
        """The first image of the rule over Docker Hub with that number; the last one where there are fewer."""
        rules = [rule for rule in self.settings.rules if rule.source.registry == DOCKER_HUB]
        rule = rules[min(number, len(rules) - 1)] if rules else None
        return (rule, stage.references(rule)[0]) if rule else None

    def move(self, image: tuple[Rule, Reference], edition: str) -> None:
        """Let a tag mean another image at Docker Hub."""
        rule, reference = image
        stage.put(self.world.hub.store, reference, rule, edition)

    async def sync(self, retries: int | None = None) -> Report:
        """One `syncer sync`."""
        retries = self._options.retries if retries is None else retries
        task = Task("sync", jobs=self._options.jobs, retries=retries)
        progress = chosen(self._options, self.clock) if self._options.verbose else unseen
        async with session(self.settings, self._outside(), task, self._state) as run:
            return self._kept(await run.carry_out(await run.plan(), Stop(), progress))

    async def verify(self) -> Report:
        """One `syncer verify --deep`."""
        async with session(self.settings, self._outside(), Task("verify")) as run:
            return self._kept(await run.verify(deep=True))

    def _kept(self, report: Report) -> Report:
        self._scenes[-1]["reports"].append(schema.document(report))
        return report

    def _outside(self) -> Outside:
        return Outside(
            clock=self.clock,
            environ={},
            dial=stage.dial(self.world),
            docker=StaticKeychain({}),
            aws_keys=("AKIADEMODEMODEMODEMO", Secret("demo")),
            ecr_share=stage.UNTHROTTLED,
        )
