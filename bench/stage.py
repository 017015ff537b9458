"""Where a scenario plays: its source, and for each contender the targets that it fills, with links before them."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from typing import TYPE_CHECKING

from bench.counts import Traffic
from bench.peers import Job
from bench.rig import Registry, Shape, Shaper, tags_of

if TYPE_CHECKING:
    from pathlib import Path

    from bench.rig import Certificates
    from bench.scenarios import Scenario
    from bench.stock import Stored


class Door:
    """A registry, and the hosts that it is reached by: its own, or those of links."""

    def __init__(self, registry: Registry, shape: Shape, hosts: int = 1) -> None:
        self.registry, self._shape = registry, shape
        self._links = [] if shape.plain else [Shaper(registry.host) for _ in range(hosts)]
        self.hosts = tuple(link.host for link in self._links) or (registry.host,) * hosts

    def stretch(self, *, far: bool) -> None:
        """Let the links be what they are called, or as short as loopback."""
        for link in self._links:
            link.set(self._shape if far else Shape())

    @property
    def connections(self) -> int:
        """How many came in over links so far."""
        return sum(link.carried()["connections"] for link in self._links)

    def close(self) -> None:
        """End links and registry."""
        for link in self._links:
            link.close()
        self.registry.close()


class Stand:
    """One contender's targets, and its home."""

    def __init__(self, directory: Path, scenario: Scenario, certificates: Certificates | None) -> None:
        shutil.rmtree(directory, ignore_errors=True)
        self.home = directory / "home"
        self.home.mkdir(parents=True)
        self._directory = directory
        self._stack = ExitStack()
        self._storages = [directory / f"storage-{number}" for number in range(scenario.targets)]
        self.doors = []
        for number, storage in enumerate(self._storages):
            registry = Registry(storage, directory / f"target-{number}", certificates)
            self.doors.append(Door(registry, scenario.target))
            self._stack.callback(self.doors[-1].close)

    def traffic(self) -> Traffic:
        """What all targets saw since the last time that one looked."""
        total = Traffic()
        for door in self.doors:
            total.add(door.registry.traffic())
        return total

    def same(self, wanted: dict[tuple[str, str], str]) -> int:
        """How many tags, at all targets together, mean what they mean at the source."""
        found = [tags_of(storage) for storage in self._storages]
        return sum(tags.get(key) == digest for tags in found for key, digest in wanted.items())

    def close(self) -> None:
        """End the targets, and forget what they hold."""
        self._stack.close()
        shutil.rmtree(self._directory)


class Stage:
    """The source of a scenario, as long as it lasts."""

    def __init__(self, directory: Path, scenario: Scenario, stored: Stored, certificates: Certificates | None) -> None:
        self._directory, self._scenario, self._stored = directory, scenario, stored
        self._certificates = certificates
        self.storage = directory / "source-storage"
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        if scenario.corpus == "small":  # may be changed on stage
            shutil.copytree(stored.storage, self.storage)
        else:
            self.storage = stored.storage
        registry = Registry(self.storage, directory / "source", certificates)
        self.source = Door(registry, scenario.source, 1 + scenario.mirrors)

    def stand(self, name: str) -> Stand:
        """Empty targets for a contender."""
        return Stand(self._directory / name.replace(" ", "-").replace(",", ""), self._scenario, self._certificates)

    def job(self, stand: Stand) -> Job:
        """What is to be done there."""
        source, *mirrors = self.source.hosts
        return Job(
            source=source,
            targets=tuple(door.hosts[0] for door in stand.doors),
            images=self._stored.images,
            ca=self._certificates.ca if self._certificates else None,
            mirrors=tuple(mirrors),
            far=self._scenario.far,
        )

    def close(self) -> None:
        """End the source."""
        self.source.close()
        shutil.rmtree(self._directory)
