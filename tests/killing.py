"""Kills a sync at a chosen point, and looks at what it left and what the next run does."""

from __future__ import annotations

import re
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import corpus
import credulous
import servers
from running import Ended, Log, Syncer
from store_reader import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

IMAGES = {
    "app": {f"v{n}": corpus.platforms(f"killed {n}", "alpine", 40 * corpus.KIB) for n in range(3)},
    "web": {"v0": corpus.platforms("killed web", "alpine")},
}
TAGS = {f"{name}:{tag}": root.digest for name, tags in IMAGES.items() for tag, root in tags.items()}
CALLS = ("sendto", "pwrite64", "fdatasync", "write")  # to sockets; to the state and the spool; to its disk; to stderr
OPEN = ("01", "08")  # established, and closed by the other side only: include/net/tcp_states.h of Linux
_SENT = re.compile(r"PUT /v2/(.+)/blobs/uploads/\S*digest=sha256(?::|%3A)([0-9a-f]{64})\S* 201")


@dataclass(frozen=True)
class Aftermath:
    """What was to be seen after a kill, and after the run that followed."""

    code: int | None  # of the killed one
    wrong: list[str]  # what its target promises and does not keep
    tags: set[str]  # that it had put
    finished: set[tuple[str, str]]  # blobs that it had, by repository
    again: Ended
    sent: set[tuple[str, str]]  # blobs that were sent in the next run
    wrong_at_last: list[str]
    tags_at_last: dict[str, str]


def user(directory: Path, source: str, target: str) -> Syncer:
    """Somebody who mirrors all of IMAGES."""
    made = Syncer(directory / "user")
    made.write(
        targets={"there": {"registry": target}},
        defaults={"targets": ["there"]},
        images=[{"source": f"{source}/{name}", "tags": list(tags)} for name, tags in IMAGES.items()],
    )
    return made


def at_request(directory: Path, source: str, number: int, when: str) -> Aftermath:
    """Killed by a registry that checks nothing: `before` it does what its request `number` asks for, or `after`."""
    with credulous.serving(directory / "storage") as target:
        syncer, store = user(directory, source, target.host), Store(target.storage)
        process = syncer.start("sync", "-j", "2")  # so that tags are put all through the run

        def strike(*point: object) -> None:
            if point == (number, when):
                process.kill()

        target.strike = strike
        code = process.wait()
        target.settle()
        seen = len(target.asked)
        left = store.wrong(), set(store.tags()), store.placed()
        target.strike = lambda *_: None
        again = syncer.run("sync")
        return Aftermath(code, *left, again, sent(target.asked[seen:]), store.wrong(), store.tags())


def at_call(directory: Path, source: str, call: str, number: int) -> Aftermath:
    """Killed as its main thread makes the system call `call` for the time `number`; at a docker-registry."""
    with servers.docker_registry(directory / "target") as target:
        syncer, store = user(directory, source, target.host), Store(target.storage)
        syncer.before = strace(directory, call, f"inject={call}:signal=KILL:when={number}")
        process = syncer.start("sync", "-j", "2")  # so that tags are put all through the run
        code = process.wait()
        settle(target.host)
        syncer.before = ()
        log = Log(target)
        left = store.wrong(), set(store.tags()), store.placed()
        again = syncer.run("sync")
        return Aftermath(code, *left, again, sent(log.new()), store.wrong(), store.tags())


def settle(host: str) -> None:
    """Wait until the server at `host` has closed all its connections: it has done, and logged, what it was asked."""
    port = f":{int(host.rpartition(':')[2]):04X}"
    while any(local.endswith(port) and state in OPEN for local, state in _sockets()):
        time.sleep(0.01)


def _sockets() -> Iterator[tuple[str, str]]:
    """The local address and the state of each TCP socket of the machine."""
    for line in Path("/proc/net/tcp").read_text().splitlines():
        _, local, _, state, *_ = line.split()
        yield local, state


def strace(directory: Path, calls: str, *more: str) -> tuple[str, ...]:
    """The beginning of a command that strace watches; its lines go to `trace`."""
    expressions = [word for each in (f"trace={calls}", *more) for word in ("-e", each)]
    return ("strace", "-f", "-qq", "-o", str(directory / "trace"), *expressions)


def calls_made(directory: Path, source: str) -> Counter[str]:
    """How often the main thread of a sync that nobody kills makes each of CALLS."""
    with servers.docker_registry(directory / "target") as target:
        syncer = user(directory, source, target.host)
        syncer.before = strace(directory, ",".join(CALLS))
        assert syncer.run("sync", "-j", "2").code == 0
    lines = [line.split(maxsplit=1) for line in (directory / "trace").read_text().splitlines()]
    return Counter(call.partition("(")[0] for thread, call in lines if thread == lines[0][0] and "(" in call)


def requests_made(directory: Path, source: str) -> int:
    """How many requests a sync that nobody kills makes."""
    with credulous.serving(directory / "storage") as target:
        assert user(directory, source, target.host).run("sync", "-j", "2").code == 0
        return len(target.asked)


def sent(lines: list[str]) -> set[tuple[str, str]]:
    """The blobs, by repository, that were uploaded in requests of the form `METHOD path STATUS`."""
    found = [_SENT.fullmatch(line) for line in lines]
    return {(each[1], f"sha256:{each[2]}") for each in found if each}
