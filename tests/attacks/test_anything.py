"""Registries that answer anything to everything: seeded, so that what one of them finds can be met again.

At a source and at a target alike, each answer is honest, or a random status with random headers and a random body, or
breaks off. Whatever they do, a run ends soon, in an outcome; and what it tagged is whole.
"""

from __future__ import annotations

import json
import random
import time

import pytest
from hostile_registry import INDEX, MANIFEST, NAME, Endless, HostileRegistry, described, index, manifest, sha256
from victim import AUTH, PASSWORD, USER, leaks, mirrored

from syncer.errors import Bug, NothingSelected
from syncer.report.model import Status

LAYER_BYTES = b"layer" * 2000
CHILD = manifest(described(LAYER_BYTES))
ROOT = index(described(CHILD, MANIFEST))
STATUSES = [
    200,
    200,
    201,
    202,
    204,
    206,
    300,
    301,
    302,
    303,
    304,
    307,
    308,
    400,
    401,
    403,
    404,
    405,
    408,
    409,
    410,
    413,
]
STATUSES += [416, 418, 421, 425, 429, 451, 499, 500, 501, 502, 503, 504, 511, 599, 100, 101, 103, 199, 600, 999]
TEXTS = [
    "",
    "x",
    "0",
    "-1",
    "1" * 400,
    "9" * 5000,
    "\xff\xfe",
    "\x7f",
    '"',
    "\\",
    ",",
    ";",
    "=",
    "é",
    "a" * 7000,
    "Infinity",
    "../..",
    "%00",
]
HEADERS = {
    "Location": [
        "/v2/",
        "//x",
        "http://",
        "https://[::1",
        "?",
        "#",
        "http://127.0.0.1:1/x",
        "/v2/team/app/blobs/uploads/2?_state=%2F",
        "ftp://x/",
        "http://x y/",
    ],
    "Link": [
        "<",
        "</v2/x>; rel=next",
        '<?last=1>; rel="next"',
        "<>;rel=next",
        '</v2/team/app/tags/list?x>; rel="next',
        "a" * 5000 + ">",
    ],
    "WWW-Authenticate": [
        "Basic",
        "Bearer",
        'Bearer realm="/token"',
        'Bearer realm="/token",service="\xff"',
        'Bearer realm="\xff"',
        "Negotiate x",
        "Bearer realm=",
        '"',
        'Bearer realm="http://[::1]/"',
        "Basic " * 900,
    ],
    "Docker-Content-Digest": [
        sha256(b"x"),
        sha256(ROOT),
        "sha256:../../x",
        "sha512:" + "0" * 128,
        "sha256:" + "A" * 64,
    ],
    "Content-Type": [
        MANIFEST,
        INDEX,
        "text/html",
        "application/json",
        "a/b;" * 500,
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
    ],
    "Content-Range": [
        "bytes 0-1/2",
        "bytes */5",
        "bytes 5-1/2",
        "bytes 0-99999999999999999999/1",
        "items 0-1/2",
        "bytes 0-9999/10000",
    ],
    "Retry-After": [
        "0",
        "1e9",
        "-5",
        "Wed, 21 Oct 2015 07:28:00 GMT",
        "1" * 12,
        "Thu, 01 Jan 9999 00:00:00 GMT",
        "Mon, 00 Foo 0000 99:99:99",
        "0.5",
    ],
    "Warning": ['299 - "hi"', '299 - "\u202e"', "199 - x", '299 - "' + "y" * 5000 + '"'],
    "RateLimit-Limit": ["100;w=21600", "-5;w=0", "1" * 500, "x;w=y"],
    "RateLimit-Remaining": ["0;w=21600", "5", "-1", ";;;"],
    "Content-Encoding": ["gzip", "identity", "br, gzip", "\xff"],
    "Transfer-Encoding": ["chunked", "gzip", "identity"],
    "Connection": ["close", "upgrade", "keep-alive, x"],
    "OCI-Subject": [sha256(b"x"), "x"],
    "OCI-Chunk-Min-Length": ["1", "99999999999999999999", "-1", "x"],
    "Range": ["0-0", "0-99999999999999999", "5-1", "x"],
    "Set-Cookie": ["a=b; Max-Age=99999999999999999999", "=;=;;;"],
}
BODIES = [
    b"",
    b"{}",
    b"[]",
    b"null",
    b"\xff\xfe",
    b"<html>",
    b"[" * 5000,
    b'{"errors":' * 900,
    b'{"errors":5}',
    b'{"errors":{}}',
    b'{"errors":[[1],null,"x"]}',
    b'{"errors":[{"code":5,"message":{"a":[1]}}]}',
    b'{"errors":[{"code":"DENIED","message":"\\ud800\\u0000\\u202e"}]}',
    b'{"token":"t"}',
    b'{"token":"t","expires_in":1' + b"0" * 400 + b"}",
    b'{"token":"\\ud800"}',
    b'{"tags":["1","1"]}',
    b'{"tags":[1]}',
    b'{"tags":{"a":1}}',
    b'{"tags":["\\ud800"]}',
    CHILD,
    ROOT,
    LAYER_BYTES,
    b"x" * 70_000,
]


class Anything(HostileRegistry):
    """Its `seed` says what it answers, and how often that is honest."""

    def __post_init__(self):
        super().__post_init__()
        self.dice = random.Random(0)
        self.share = 0.5

    async def answer(self, asked, writer):
        if self.dice.random() < self.share:
            await super().answer(asked, writer)
            return
        made = self._anything()
        if asked.method == "HEAD":
            made = made.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        whole = self.dice.random() < 0.9
        await Endless(made if whole else made[: self.dice.randrange(len(made))], times=0).to(writer)

    def _anything(self) -> bytes:
        dice = self.dice
        headers = {
            name: dice.choice(dice.choice([TEXTS, said])) for name, said in HEADERS.items() if dice.random() < 0.2
        }
        body = dice.choice(BODIES)
        if dice.random() < 0.1:
            headers["Content-Length"] = dice.choice(["0", "1", "99999", "x", "-1", "9" * 30])
        lines = [f"{name}: {value}" for name, value in ({"Content-Length": len(body)} | headers).items()]
        head = "\r\n".join([f"HTTP/1.1 {dice.choice(STATUSES)} Whatever", *lines, "", ""])
        return head.encode("utf-8" if dice.random() < 0.5 else "latin-1", "replace") + body


def anything(seed: int, **more) -> Anything:
    made = Anything(**more)
    made.dice = random.Random(seed)
    made.share = made.dice.choice([0.1, 0.5, 0.8, 0.9])
    return made


async def ran(seed: int):
    dice = random.Random(seed)
    tricks = dice.choice([[], ["wants-basic"], ["wants-token"]])
    source = anything(seed, behaviours=tricks, root=ROOT, manifests={sha256(CHILD): CHILD})
    target = anything(seed + 1, empty=True, token="t", behaviours=dice.choice([[], ["wants-token"]]))
    source.share, target.share = dice.choice([(source.share, 1.0), (1.0, target.share), (source.share, target.share)])
    rule = dice.choice(
        [{}, {"source": "{}/" + NAME, "tags": ["*"]}, {"referrers": True}, {"platforms": ["linux/amd64"]}]
    )
    async with source.running(), target.running():
        rule = {key: value.format(source.netloc) if key == "source" else value for key, value in rule.items()}
        return source, target, await mirrored(source, target, registry={"auth": AUTH}, rule=rule)


def whole(target: HostileRegistry) -> bool:
    """Whether all that its tags name is there."""
    for raw in target.tags.values():
        for child in json.loads(raw)["manifests"]:
            held = json.loads(target.manifests[child["digest"]])
            if any(blob["digest"] not in target.blobs for blob in (held["config"], *held["layers"])):
                return False
    return True


@pytest.mark.parametrize("first", range(0, 120, 10))
async def test_whatever_is_answered_a_run_ends_in_outcomes_and_what_it_tagged_is_whole(first):
    began = time.monotonic()
    for seed in range(first, first + 10):
        try:
            source, target, report = await ran(seed)
        except NothingSelected:  # an empty list of tags is an answer, too
            continue
        assert report.outcomes
        assert not [each for each in report.outcomes if each.failure and each.failure.code == Bug.code], seed
        assert target.share < 1 or whole(target), seed
        assert leaks(target.server.received, [PASSWORD, USER, source.token]) == [], seed
    assert time.monotonic() - began < 60


async def test_some_of_these_images_land_and_some_do_not():
    """Else the seeds above would try too little."""
    statuses = set()
    for seed in range(40):
        _, target, report = await ran(seed)
        statuses |= {(each.status, target.tags != {}) for each in report.outcomes}

    assert {(Status.COPIED, True), (Status.FAILED, False)} <= statuses
