"""The sixteen faults: each is a row, which runs a copier through fault proxies and says what it left at the target.

`make faults` prints the table, for syncer and for skopeo beside it.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import corpus
import faultproxy
import servers
from faultproxy import Proxy, Rule, answer
from running import Syncer, one
from store_reader import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

MIB = corpus.MIB
LAYER = corpus.layer("sixteen", 8 * MIB)
IMAGE = corpus.image([LAYER])
BLOB = f"GET .*{LAYER.digest}"
UPLOAD = f"^(PATCH|PUT .*{LAYER.digest.partition(':')[2]})"
PAGE = answer(200, b"<!DOCTYPE html><html><body>Welcome</body></html>", Content_Type="text/html; charset=utf-8")
BUSY = answer(503, b"<html><body>try later</body></html>", Content_Type="text/html")
LOST = answer(404, b'{"errors": [{"code": "BLOB_UPLOAD_UNKNOWN"}]}', Content_Type="application/json")


@dataclass(frozen=True)
class Row:
    """A fault, at the source or at the target, and what it may cost."""

    name: str
    at_source: tuple[Rule, ...] = ()
    at_target: tuple[Rule, ...] = ()
    promise: Callable[[Ended], bool] = lambda _ended: True  # besides the right digest and exit 0
    promised: str = ""


@dataclass
class Ended:
    """What a copier did with a row."""

    code: int | None  # its exit code; None: it hung and was ended
    digest: str | None  # of the tag at the target, if all that it names is there; read from the files
    seconds: float
    fired: int
    source: Proxy = field(repr=False)
    target: Proxy = field(repr=False)
    said: str = field(repr=False)

    @property
    def good(self) -> bool:
        """Whether the right image is there and its exit code says so."""
        return self.code == 0 and self.digest == IMAGE.digest

    @property
    def pulled(self) -> int:
        """Bytes of the layer that the source gave."""
        return sum(each.down for each in self.source.counted(BLOB) if each.status in (200, 206))

    @property
    def shown(self) -> str:
        """A cell of the table."""
        if self.code is None:
            return "**hung**"
        stored = "ok" if self.digest == IMAGE.digest else "**no**"
        return f"{stored} {self.code}, {self.seconds:.1f} s"


def read_once(ended: Ended) -> bool:
    """The layer was asked for in one request."""
    return len(ended.source.counted(BLOB)) == 1


def resumed(ended: Ended) -> bool:
    """At most one per cent of the layer came twice."""
    return ended.pulled <= 1.01 * len(LAYER.data)


def waited(ended: Ended) -> bool:
    """A second or more lies between an answer that asks for it and the next request."""
    asked = ended.source.counted(BLOB)
    return all(after.began - before.began >= 1 for before, after in itertools.pairwise(asked))


RESUMED = (resumed, "at most 1 % of the bytes twice")
ONCE = (read_once, "the source is read once")


def rows() -> list[Row]:
    """All of them, with rules that have not fired."""
    manifest = "(GET|HEAD) /v2/app/manifests/"
    return [
        Row("none"),
        Row("source: reset once in the blob", (Rule(BLOB, "reset", 4 * MIB),), (), *RESUMED),
        Row("source: reset three times in the blob", (Rule(BLOB, "reset", 2 * MIB, times=3),), (), *RESUMED),
        Row("source: closed once in the blob", (Rule(BLOB, "close", 4 * MIB),), (), *RESUMED),
        Row("source: stalls in the blob", (Rule(BLOB, "stall", 4 * MIB),), (), *RESUMED),
        Row("source: one bit flipped, once", (Rule(BLOB, "corrupt", 3 * MIB),)),
        Row("source: 503 once on the blob", (Rule(BLOB, "inject", answer=BUSY),)),
        Row("source: 503 twice on the manifest", (Rule(manifest, "inject", answer=BUSY, times=2),)),
        Row(
            "source: 429 twice, Retry-After: 1",
            (Rule(BLOB, "inject", answer=answer(429, Retry_After="1"), times=2),),
            (),
            waited,
            "waits a second each time",
        ),
        Row("source: 429 twice, no Retry-After", (Rule(BLOB, "inject", answer=answer(429), times=2),)),
        Row("source: 200 without length, cut at 1 MB", (Rule(BLOB, "cut", 1_000_000),)),
        Row("source: 200 with a web page for the blob", (Rule(BLOB, "inject", answer=PAGE),)),
        Row("target: reset once in the upload", (), (Rule(UPLOAD, "reset", 4 * MIB, up=True),), *ONCE),
        Row("target: stalls in the upload", (), (Rule(UPLOAD, "stall", 4 * MIB, up=True),), *ONCE),
        Row(
            "target: 500 once on the manifest, which is stored",
            (),
            (Rule("PUT /v2/app/manifests/v1", "inject", answer=answer(500), forward=True),),
            *ONCE,
        ),
        Row("target: the upload session is lost once", (), (Rule(UPLOAD, "inject", answer=LOST),), *ONCE),
    ]


# copiers: each has a directory of its own, the source and the target, and so many seconds

Copier = Callable[[Path, str, str, float], tuple[int | None, str]]


def syncer(home: Path, source: str, target: str, _limit: float) -> tuple[int | None, str]:
    """This project, as a user runs it, with short deadlines."""
    user = Syncer(home)
    sections = one(f"{source}/app:v1", "app", {"there": target})
    sections["defaults"]["timeouts"] = PATIENCE
    user.write(**sections)
    ended = user.run("sync")
    return ended.code, ended.out + ended.err


PATIENCE = {"stall": "1500ms", "headers": "3s"}


def skopeo(home: Path, source: str, target: str, limit: float, *options: str) -> tuple[int | None, str]:
    """The copier that most would use."""
    home.mkdir()
    command = ["skopeo", "copy", *options, "--src-tls-verify=false", "--dest-tls-verify=false", "-q"]
    ends = [f"docker://{source}/app:v1", f"docker://{target}/app:v1"]
    try:
        ran = subprocess.run([*command, *ends], check=False, capture_output=True, text=True, timeout=limit, cwd=home)
    except subprocess.TimeoutExpired:
        return None, ""
    return ran.returncode, ran.stdout + ran.stderr


def skopeo_retrying(home: Path, source: str, target: str, limit: float) -> tuple[int | None, str]:
    """The same with retries."""
    return skopeo(home, source, target, limit, "--retry-times", "3")


# what is at a target, read from its files


def stored(storage: Path) -> str | None:
    """The digest that the tag means, if the manifest and all that it names are there and are what they should be."""
    store = Store(storage)
    return None if store.wrong() else store.tags().get("app:v1")


def false_blobs(storage: Path) -> list[str]:
    """Committed blobs that are not what they are called."""
    paths = (storage / "docker/registry/v2/blobs/sha256").glob("*/*/data")
    return [p.parent.name for p in paths if hashlib.sha256(p.read_bytes()).hexdigest() != p.parent.name]


# running rows


@contextlib.contextmanager
def source_of(directory: Path) -> Iterator[str]:
    """A registry with the image."""
    with servers.docker_registry(directory) as registry:
        corpus.Door(registry.host).push("app", IMAGE, "v1")
        yield registry.host


def run(row: Row, copier: Copier, source: str, directory: Path, limit: float = 60) -> Ended:
    """What `copier` does with `row`, into a target that is empty."""
    with (
        servers.docker_registry(directory / "target") as registry,
        faultproxy.before(source, *row.at_source) as near,
        faultproxy.before(registry.host, *row.at_target) as far,
    ):
        began = time.monotonic()
        code, said = copier(directory / "user", near.host, far.host, limit)
        seconds = time.monotonic() - began
        fired = sum(rule.fired for rule in (*row.at_source, *row.at_target))
        assert not false_blobs(registry.storage), false_blobs(registry.storage)
        return Ended(code, stored(registry.storage), seconds, fired, near, far, said)


def wanted(row: Row) -> int:
    """How often its rules are to fire."""
    return sum(rule.times or 0 for rule in (*row.at_source, *row.at_target))


def all_rows(copier: Copier, source: str, directory: Path, limit: float = 60, at_once: int = 4) -> dict[str, Ended]:
    """Every row, a few at a time: most of them wait."""
    with ThreadPoolExecutor(at_once) as pool:
        going = {
            row.name: pool.submit(run, row, copier, source, directory / re.sub(r"\W+", "-", row.name), limit)
            for row in rows()
        }
        return {name: future.result() for name, future in going.items()}


COPIERS: dict[str, Copier] = {"syncer": syncer, "skopeo": skopeo, "skopeo --retry-times 3": skopeo_retrying}


def table(found: dict[str, dict[str, Ended]]) -> str:
    """The rows as Markdown: copier by copier."""
    lines = [f"| fault | {' | '.join(found)} |", "|---" * (len(found) + 1) + "|"]
    for row in rows():
        cells = [ended[row.name] for ended in found.values()]
        lines.append(f"| {row.name} | {' | '.join(each.shown for each in cells)} |")
    scores = [f"{sum(each.good for each in ended.values())} of {len(ended)}" for ended in found.values()]
    return "\n".join([*lines, f"| **right, and exit 0** | {' | '.join(scores)} |"])


def all_copiers(source: str, directory: Path, limit: float) -> dict[str, dict[str, Ended]]:
    """Every row with every copier, which has `limit` seconds for it; one at a time, since the seconds are shown."""
    return {
        name: all_rows(copier, source, directory / f"copier-{number}", limit, at_once=1)
        for number, (name, copier) in enumerate(COPIERS.items())
    }


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as name, source_of(Path(name) / "source") as source:
        found = all_copiers(source, Path(name), 20)
    sys.stdout.write(table(found) + "\n")
    sys.exit(any(not each.good for each in found["syncer"].values()))


if __name__ == "__main__":
    main()
