"""S9 to S16, S18: whatever content a server gives, what lands is right, or nothing lands and the reason is told.

Each image is copied, or not, by a whole run; the target is looked at through what it was sent.
"""

from __future__ import annotations

import base64
import json
import time

import pytest
from hostile import reply
from hostile_registry import INDEX, LAYER, MANIFEST, Endless, HostileRegistry, described, index, manifest, sha256
from victim import assert_untouched, mirrored, outcome

from syncer.errors import Bug
from syncer.report.model import Status

LAYER_BYTES = b"layer" * 2000
GOOD = described(LAYER_BYTES)
CHILD = manifest(GOOD)
HEX = sha256(b"x")


@pytest.fixture
async def target():
    async with HostileRegistry(empty=True).running() as registry:
        yield registry


async def refused(hostile, target, *codes, **more):
    """The failure of an image that must not land, told soon, by one of `codes`."""
    began = time.monotonic()
    ended = await outcome(hostile, target, **more)

    assert ended.status in (Status.FAILED, Status.BLOCKED)
    assert ended.failure.code != Bug.code
    assert ended.failure.code in codes or not codes
    assert target.tags == {}
    assert all(asked.target.isascii() and ".." not in asked.target for asked in [*hostile.asked, *target.asked])
    assert time.monotonic() - began < 5
    return ended.failure


def changed(raw: bytes, **members) -> bytes:
    return json.dumps(json.loads(raw) | members).encode()


def layer(**lies) -> bytes:
    return manifest(GOOD | lies)


def raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


TWINS = CHILD.decode()[:-1]
MANIFESTS = {
    # S9: a digest is a name in a URL and of a file
    "digest: path": layer(digest="sha256:../../../token"),
    "digest: path of the right length": layer(digest="sha256:" + "../" * 21 + "x"),
    "digest: query": layer(digest=HEX[:-2] + "?x"),
    "digest: capitals": layer(digest=HEX.upper()),
    "digest: short": layer(digest=HEX[:-1]),
    "digest: new line": layer(digest=HEX + "\n"),
    "digest: algorithm": layer(digest="md5:" + "0" * 32),
    "digest: percent": layer(digest="sha256:%2e%2e%2f" + "0" * 52),
    "digest: number": layer(digest=5),
    "digest: other digits": layer(digest="sha256:" + "\uff11" * 64),
    # S11: two readers, two images
    "both": changed(CHILD, manifests=[described(CHILD, MANIFEST)]),
    "both, in capitals": changed(CHILD, Manifests=[described(CHILD, MANIFEST)]),
    "twin of layers": raw(TWINS + ',"Layers":[]}'),
    "twin with a long s": raw(TWINS + ',"layer\u017f":[]}'),
    "twin of a size": layer(Size=1),
    "layers twice": raw(TWINS + ',"layers":[]}'),
    "config twice": raw(TWINS + ',"conf\\u0069g":{}}'),
    "schema 1 inside": changed(CHILD, fsLayers=[], history=[]),
    "type of an index": changed(CHILD, mediaType=INDEX),
    "type of a layer": changed(CHILD, mediaType=LAYER),
    "type is a list": changed(CHILD, mediaType=[MANIFEST]),
    "no config": changed(CHILD, config=None),
    "config is a list": changed(CHILD, config=[]),
    "layers is an object": changed(CHILD, layers={"0": GOOD}),
    "layers of numbers": changed(CHILD, layers=[1, 2]),
    "version as text": changed(CHILD, schemaVersion="2"),
    "version as float": changed(CHILD, schemaVersion=2.0),
    "version 3": changed(CHILD, schemaVersion=3),
    "annotation of numbers": changed(CHILD, annotations={"a": 1}),
    # sizes, S12
    "size: one more": layer(size=len(LAYER_BYTES) + 1),
    "size: one less": layer(size=len(LAYER_BYTES) - 1),
    "size: much more": layer(size=10**6 * len(LAYER_BYTES)),
    "size: nothing": layer(size=0),
    "size: 2^63": layer(size=2**63),
    "size: 2^63-1": layer(size=2**63 - 1),
    "size: 300 digits": layer(size=10**300),
    "size: negative": layer(size=-1),
    "size: text": layer(size="10000"),
    "size: float": layer(size=10000.0),
    "size: boolean": layer(size=True),
    "size: null": layer(size=None),
    "size: two": manifest(GOOD, GOOD | {"size": 1}),
    # S18: embedded content
    "data: other": layer(data=base64.b64encode(b"other").decode()),
    "data: of the size": layer(data=base64.b64encode(b"x" * len(LAYER_BYTES)).decode()),
    "data: no base64": layer(data="%%%"),
    "data: a list": layer(data=[1]),
    # JSON, S27
    "JSON: empty": b"",
    "JSON: null": b"null",
    "JSON: a list": b"[" + CHILD + b"]",
    "JSON: two": CHILD + CHILD,
    "JSON: byte order mark": b"\xef\xbb\xbf" + CHILD,
    "JSON: UTF-16": CHILD.decode().encode("utf-16"),
    "JSON: not UTF-8": CHILD[:-1] + b',"x":"\xff"}',
    "JSON: lone surrogate": CHILD[:-1] + b',"x":"\\ud800"}',
    "JSON: NaN": CHILD[:-1] + b',"x":NaN}',
    "JSON: deep": CHILD[:-1] + b',"x":' + b"[" * 100_000 + b"}",
    "JSON: long number": CHILD[:-1] + b',"x":' + b"9" * 1_000_000 + b"}",
    "JSON: many values": CHILD[:-1] + b',"x":[' + b"[]," * 1_000_000 + b"1]}",
    "JSON: many keys": CHILD[:-1] + b',"annotations":{' + b",".join(b'"%d":""' % n for n in range(200_000)) + b"}}",
    "JSON: nothing but spaces": b" " * 4_000_000,
}


@pytest.mark.parametrize("image", MANIFESTS)
async def test_a_hostile_manifest_does_not_land(target, image):
    async with HostileRegistry(root=MANIFESTS[image]).running() as hostile:
        failure = await refused(hostile, target)

    assert any("/manifests/" in asked.target for asked in hostile.asked)
    assert failure.message.isprintable()


def child(**lies) -> bytes:
    return index(described(CHILD, MANIFEST) | lies)


INDEXES = {
    "size of a child": child(size=len(CHILD) + 1),
    "type of a child": child(mediaType=INDEX),
    "a child that is another": child(digest=sha256(b"another")),
    "a child that is a layer": index(GOOD),
    "a platform in colours": child(platform={"os": "\x1b[31m", "architecture": "amd64"}),
    "a platform of lists": child(platform={"os": ["linux"], "architecture": "amd64"}),
    "a platform with twins": child(platform={"os": "linux", "OS": "windows", "architecture": "amd64"}),
    "too many children": index(*[described(CHILD, MANIFEST)] * 1001),
    "layers as well": changed(child(), layers=[GOOD]),
    "a subject that is none": changed(child(), subject={"digest": HEX}),
}


@pytest.mark.parametrize("image", INDEXES)
async def test_a_hostile_index_does_not_land(target, image):
    root = INDEXES[image]
    async with HostileRegistry(root=root, manifests={sha256(CHILD): CHILD}).running() as hostile:
        await refused(hostile, target)


async def test_an_honest_index_lands(target):
    """Else the tests above could pass because no index ever lands."""
    async with HostileRegistry(root=child(), manifests={sha256(CHILD): CHILD}).running() as honest:
        ended = await outcome(honest, target)

    assert ended.status is Status.COPIED
    assert target.tags == {"1": child()}


LIES = {
    "lying-digest": "E401",
    "lying-body": "E401",
    "lying-twice": "E401",
    "lying-blobs": "E401",
    "gzip-coded": "E401",
}


@pytest.mark.parametrize("trick", LIES)
async def test_other_content_than_asked_for_does_not_land(target, trick):
    async with HostileRegistry([trick]).running() as hostile:
        failure = await refused(hostile, target, LIES[trick])

    assert failure.host == hostile.netloc


HEADERS = {
    "none": "",
    "empty": "Docker-Content-Digest: \r\n",
    "not one": "Docker-Content-Digest: sha256:../../x\r\n",
    "two, right first": f"Docker-Content-Digest: {sha256(manifest(GOOD))}\r\nDocker-Content-Digest: {HEX}\r\n",
    "two, wrong first": f"Docker-Content-Digest: {HEX}\r\nDocker-Content-Digest: {sha256(manifest(GOOD))}\r\n",
    "another algorithm": "Docker-Content-Digest: sha512:" + "0" * 128 + "\r\n",
    "no text": "Docker-Content-Digest: \xff\xfe\r\n",
}


@pytest.mark.parametrize("said", HEADERS)
async def test_whatever_the_digest_header_says_only_the_right_bytes_land(target, said):
    class Liar(HostileRegistry):
        def serve(self, raw, media_type="", **_headers):
            answer = reply(200, raw, Content_Type=media_type or MANIFEST)
            return answer.replace(b"\r\n", b"\r\n" + HEADERS[said].encode("latin-1"), 1)

    async with Liar().running() as hostile:
        ended = await outcome(hostile, target)

    assert target.tags in ({}, {"1": hostile.root})
    assert (ended.status is Status.COPIED) == (target.tags != {})


async def test_a_content_type_that_contradicts_the_body_does_not_land(target):
    class Liar(HostileRegistry):
        def serve(self, raw, media_type="", **headers):  # noqa: ARG002
            return super().serve(raw, INDEX, **headers)

    async with Liar().running() as hostile:
        await refused(hostile, target)


def nested(depth: int) -> tuple[bytes, dict[str, bytes]]:
    """Indexes in one another, and all of them by digest."""
    held, last = {sha256(CHILD): CHILD}, described(CHILD, MANIFEST)
    for _ in range(depth):
        made = index(last)
        held[sha256(made)], last = made, described(made, INDEX)
    return made, held


async def test_a_chain_of_two_hundred_indexes_is_refused_after_a_few(target):
    root, held = nested(200)
    async with HostileRegistry(root=root, manifests=held).running() as hostile:
        failure = await refused(hostile, target)

    assert "nested" in failure.message
    assert len(hostile.asked) < 12


async def test_a_diamond_of_a_thousand_paths_is_read_once_per_manifest(target):
    """Each level names the next ten times over, by ten descriptors that differ."""
    held, last = {sha256(CHILD): CHILD}, described(CHILD, MANIFEST)
    for _ in range(3):
        made = index(*(last | {"annotations": {"n": str(n)}} for n in range(10)))
        held[sha256(made)], last = made, described(made, INDEX)
    async with HostileRegistry(root=made, manifests=held).running() as hostile:
        ended = await outcome(hostile, target)

    assert ended.status is Status.COPIED
    gets = [asked.target for asked in hostile.asked if asked.method == "GET" and "/manifests/" in asked.target]
    assert sorted(gets) == sorted(set(gets))
    assert len(gets) == 4


async def test_an_index_that_holds_itself_is_a_lie_about_a_digest(target):
    """To hold its own digest it would have to have another: what is served for that name is not what it names."""
    root = index(described(CHILD, INDEX, digest=HEX))

    class Ouroboros(HostileRegistry):
        def _manifest(self, asked, name):
            return self.serve(root, Docker_Content_Digest=HEX) if name == HEX else super()._manifest(asked, name)

    async with Ouroboros(root=root).running() as hostile:
        await refused(hostile, target, "E401")


FOREIGN = [
    described(LAYER_BYTES, "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"),
    described(LAYER_BYTES, "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"),
    GOOD,
]


@pytest.mark.parametrize("layer", FOREIGN)
@pytest.mark.parametrize("url", ["{thief}/layer", "//{thief}/x", "file:///etc/passwd", "http://169.254.169.254/"])
async def test_a_layer_is_never_fetched_from_where_its_urls_say(target, layer, url):
    async with HostileRegistry(["wants-basic"]).running() as thief:
        root = manifest(layer | {"urls": [url.format(thief=thief.origin)]})
        async with HostileRegistry(root=root).running() as hostile:
            hostile.blobs.pop(sha256(LAYER_BYTES))
            await refused(hostile, target, known=[thief])

        assert_untouched(thief)


async def test_six_lying_mirrors_are_named_and_the_right_bytes_land(target):
    """S21, S22: each lies in a way of its own; one of them sends half of a blob, and a wrong rest of it."""
    tricks = ["lying-twice", "lying-blobs", "gzip-coded", "endless-blob", "portal", "half"]
    async with (
        HostileRegistry().running() as origin,
        Mirror([tricks[0]]).running() as a,
        Mirror([tricks[1]]).running() as b,
        Mirror([tricks[2]]).running() as c,
        Mirror([tricks[3]]).running() as d,
        Mirror([tricks[4]]).running() as e,
        Mirror([tricks[5]]).running() as f,
    ):
        mirrors = [
            {"url": str(each.origin), "operator": name} for name, each in zip("abcdef", (a, b, c, d, e, f), strict=True)
        ]
        report = await mirrored(origin, target, registry={"mirrors": mirrors}, retries=5)

    (only,) = report.outcomes
    assert only.status is Status.COPIED
    assert target.tags == {"1": origin.root}
    assert LAYER_BYTES in target.stored
    blamed = {line.host for line in report.hosts if line.blamed}
    assert {a.netloc, b.netloc} <= blamed <= {each.netloc for each in (a, b, c, d, e, f)}
    assert all(each.asked for each in (a, b, c, d, e, f))


class Mirror(HostileRegistry):
    """Two more tricks, of mirrors."""

    def portal(self, asked):
        return reply(200, b"<html>Please log in</html>", Content_Type="text/html") if "/v2/" in asked.target else None

    def half(self, asked):
        """Half of a blob, and of a part from anywhere bytes that are wrong."""
        if "/blobs/" not in asked.target or asked.method != "GET":
            return None
        data = self.blobs.get(asked.target.rpartition("/")[2], b"")
        if "range" not in asked.headers:
            return Endless(reply(200, data)[: -len(data) // 2], times=0)
        start = int(asked.headers["range"].removeprefix("bytes=").partition("-")[0])
        place = f"bytes {start}-{len(data) - 1}/{len(data)}"
        return reply(206, bytes(byte ^ 1 for byte in data[start:]), Content_Range=place)
