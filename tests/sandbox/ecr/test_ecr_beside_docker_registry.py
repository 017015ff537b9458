"""The sandbox's ECR and a real docker-registry, asked the same: answers of the same class, the same bytes.

Where ECR is known to differ (docker-registry serves blobs that nobody refers to and stores empty ones,
repositories appear on push, tags are deleted over HTTP) nothing is asked here; tests by number do.
"""

from __future__ import annotations

import asyncio
import json
from itertools import count

import pytest
import servers
from ecr_clients import V2, Reply, connected, finishing, small
from hypothesis import given, settings
from hypothesis import strategies as st

from syncer.clock import SteppedClock
from syncer.sandbox.ecr.server import EcrRegion
from syncer.sandbox.images import image

IMAGES = (small("one"), small("two"), image("app", "v1", platforms=("linux/amd64", "linux/arm64")))
MANIFESTS = IMAGES + IMAGES[2].children
BLOBS = [blob for manifest in MANIFESTS for blob in manifest.blobs]
REFERENCES = ["v1", "v2", *(manifest.digest for manifest in MANIFESTS)]
NUMBER = count()

STEPS = st.one_of(
    st.tuples(st.just("put blob"), st.sampled_from(BLOBS)),
    st.tuples(st.just("patch blob"), st.sampled_from(BLOBS)),
    st.tuples(st.just("put wrong blob"), st.sampled_from(BLOBS)),
    st.tuples(st.just("head blob"), st.sampled_from(BLOBS)),
    st.tuples(st.just("push"), st.sampled_from(MANIFESTS), st.sampled_from(["v1", "v2", None])),
    st.tuples(st.just("put manifest"), st.sampled_from(MANIFESTS), st.sampled_from(REFERENCES)),
    st.tuples(st.just("get manifest"), st.sampled_from(REFERENCES)),
    st.tuples(st.just("head manifest"), st.sampled_from(REFERENCES)),
    st.tuples(st.just("tags")),
)


async def _blob_step(v2: V2, repository: str, step: str, blob) -> Reply:
    match step:
        case "put blob":
            return await v2.put_blob(repository, blob.data)
        case "patch blob":
            patched = await v2("PATCH", await v2.open(repository), data=blob.data)
            return await v2("PUT", finishing(patched.headers["Location"], blob.digest))
        case "put wrong blob":
            return await v2.put_blob(repository, blob.data + b"x", blob.digest)
    return await v2("HEAD", f"/v2/{repository}/blobs/{blob.digest}")


async def _step(v2: V2, repository: str, step: str, *given) -> Reply:
    match step:
        case "push":
            return await v2.push(repository, *given)
        case "put manifest":
            return await v2.put_manifest(repository, *given)
        case "tags":
            return await v2("GET", f"/v2/{repository}/tags/list?n=100")
        case "get manifest" | "head manifest":
            accept = {"Accept": ", ".join({one.media_type for one in MANIFESTS})}
            path = f"/v2/{repository}/manifests/{given[0]}"
            return await v2(step.split(maxsplit=1)[0].upper(), path, headers=accept)
    return await _blob_step(v2, repository, step, *given)


def _seen(step: str, reply: Reply):
    """What must be the same: the class of the status, and in a good answer the bytes."""
    kind = reply.status // 100
    if kind != 2:
        return kind
    if step == "tags":
        return sorted(json.loads(reply.body)["tags"] or [])
    named = () if step == "get manifest" else (reply.headers.get("Docker-Content-Digest"),)
    return (kind, reply.body, *named)


async def _both(registry: servers.RealRegistry, steps) -> None:
    name = f"walk/{next(NUMBER)}"
    async with EcrRegion("cn-north-1", clock=SteppedClock()) as region, connected() as session:
        region.registry.create(name)
        region.switches.quota_factor = 1_000
        ecr = V2(session, region.plane.address, f"Basic {region.state.tokens.mint('AKIATEST').encoded}")
        real = V2(session, registry.url, "")
        for step in [("push", IMAGES[0], "v1"), *steps]:
            assert _seen(step[0], await _step(ecr, name, *step)) == _seen(step[0], await _step(real, name, *step)), step


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    with servers.docker_registry(tmp_path_factory.mktemp("docker-registry")) as running:
        yield running


@settings(max_examples=25, deadline=None, derandomize=True)
@given(steps=st.lists(STEPS, min_size=5, max_size=25))
def test_any_walk_gives_the_same_answers(registry, steps):
    asyncio.run(_both(registry, steps))
