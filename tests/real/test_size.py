"""A layer of a gigabyte: in a bounded memory, in one read and one upload."""

from __future__ import annotations

import hashlib
import shutil
from http.client import HTTPConnection

import corpus
from running import Log, counted, one

GIB = 1024**3
MIB = 1024**2


def mebibytes(count):
    """Bytes that differ from one MiB to the next, made as they are sent."""
    seed = corpus.random.Random("big").randbytes(MIB - 8)
    for number in range(count):
        yield number.to_bytes(8, "big") + seed


def push_big(host, name, size):
    """A blob of `size` bytes that is never in memory as a whole; its digest."""
    hasher = hashlib.sha256()
    for chunk in mebibytes(size // MIB):
        hasher.update(chunk)
    digest = f"sha256:{hasher.hexdigest()}"
    session = corpus.Door(host).ask("POST", f"/v2/{name}/blobs/uploads/").headers["location"].partition("/v2/")[2]
    http = HTTPConnection(host, timeout=120)
    http.request("PUT", f"/v2/{session}&digest={digest}", mebibytes(size // MIB), {"Content-Length": str(size)})
    with http.getresponse() as response:
        assert response.status == 201
        response.read()
    http.close()
    return digest


def big_image(host, name, size):
    config = corpus.Blob(corpus.OCI_CONFIG, b'{"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers"}}')
    digest = push_big(host, name, size)
    layers = [{"mediaType": corpus.OCI_LAYER, "digest": digest, "size": size}]
    image = corpus.document(corpus.OCI_MANIFEST, {"config": config.descriptor(), "layers": layers}, [config], [])
    corpus.Door(host).push(name, image, "v1")
    return digest


def test_a_layer_of_a_gigabyte_needs_little_memory_one_read_and_one_upload(source, target, syncer):
    digest = big_image(source.host, "big", GIB)
    logs = Log(source), Log(target)
    syncer.write(**one(f"{source.host}/big:v1", "big", {"there": target.host}))
    ended = syncer.run("sync")
    print(f"1 GiB: {ended.seconds:.1f} s, {ended.peak / MIB:.0f} MiB")  # noqa: T201 - for whoever reads -s
    assert ended.code == 0, ended.err
    assert ended.peak < 150 * MIB
    assert target.blob_path(digest).stat().st_size == GIB
    assert counted(logs[0].new(), "GET", path="/blobs/sha256") == 2  # with the config
    assert counted(logs[1].new(), "PUT", path="/blobs/uploads") == 2
    for registry in (source, target):
        shutil.rmtree(registry.storage)
