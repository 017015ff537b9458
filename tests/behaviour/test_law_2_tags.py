"""Law 2: a tag is what its origin says; failing that, what the rules of `resolve` allow, and the report says who."""

from __future__ import annotations

import asyncio

import pytest
from builders import hold, image

from syncer.clock import SteppedClock
from syncer.content.memory import MemoryRegistry
from syncer.content.places import Place
from syncer.errors import (
    CorruptContent,
    Denied,
    MirrorUnusable,
    NotFound,
    ServerError,
    Silent,
    TimedOut,
    Unauthorized,
    Unreachable,
    Unresolved,
)
from syncer.oci.names import RepositoryName, Tag
from syncer.oci.origin import Origin
from syncer.registry.hosts import Hosts
from syncer.registry.mirrored import Mirrored
from syncer.registry.upstream import Branch, Upstream
from syncer.settings.registries import Endpoint, MirrorSettings, Trust, Way

NGINX = RepositoryName("library/nginx")
TAG = Tag("1.27")
NEW, OLD, OTHER = image(b"new"), image(b"old"), image(b"other")
ORIGIN = "registry-1.docker.io"
DEFAULT = (Way.ORIGIN, Way.AGREEMENT)


class Worldly:
    """Docker Hub and mirrors in memory, and the Mirrored over them."""

    def __init__(self, *mirrors: str, ways=DEFAULT, trusted=()):
        self.hosts = Hosts(SteppedClock())
        self.origin = MemoryRegistry(ORIGIN).target(NGINX)
        self.mirrors = [MemoryRegistry(host).target(NGINX) for host, _, _ in map(_split, mirrors)]
        self.branches = [
            self._branch(target, MirrorSettings(_endpoint(host), Trust.TAGS if host in trusted else Trust.CONTENT, who))
            for target, (host, _, who) in zip(self.mirrors, map(_split, mirrors), strict=True)
        ]
        self.upstream = self._branch(self.origin)
        self.ways = ways
        self.source = self.repository()

    def repository(self):
        return Mirrored(Place("docker.io", NGINX), self.upstream, self.branches, self.ways)

    def say(self, *images):
        """What the origin, then each mirror, has under the tag; None: nothing."""
        for target, what in zip((self.origin, *self.mirrors), images, strict=True):
            if what is not None:
                hold(target, what, str(TAG))

    def unreachable(self, error=None):
        async def fail(_verb, _what):
            raise error or Unreachable("no route to Docker Hub", host=ORIGIN)

        self.origin.before = fail

    async def digest(self):
        return (await self.source.resolve(TAG)).descriptor.digest

    def _branch(self, target, mirror=None):
        endpoint = mirror.endpoint if mirror else _endpoint(ORIGIN)
        return Branch(Upstream(endpoint, self.hosts, mirror), target)


def _split(mirror: str):
    host, slash, operator = mirror.partition("/")
    return host, slash, operator or host


def _endpoint(host):
    return Endpoint(Origin.parse(host))


async def test_the_origin_says_what_a_tag_means_and_no_mirror_is_asked():
    world = Worldly("stale.example", "lying.example")
    world.say(NEW, OLD, OTHER)

    resolution = await world.source.resolve(TAG)

    assert (resolution.descriptor.digest, resolution.by) == (NEW.digest, "origin")
    assert [said.host for said in resolution.said] == [ORIGIN]
    assert [mirror.calls for mirror in world.mirrors] == [[], []]


@pytest.mark.parametrize("error", [NotFound("gone", host=ORIGIN), Unauthorized("who are you", host=ORIGIN)], ids=repr)
async def test_what_the_origin_refuses_mirrors_do_not_grant(error):
    world = Worldly("a.example", "b.example")
    world.say(None, OLD, OLD)
    world.unreachable(error)

    with pytest.raises(type(error)):
        await world.source.resolve(TAG)


@pytest.mark.parametrize(
    "error",
    [None, TimedOut("no answer", host=ORIGIN), Denied("not from your country", host=ORIGIN)],
    ids=["unreachable", "silent", "country"],
)
async def test_two_operators_that_agree_stand_in_for_an_origin_out_of_reach(error):
    world = Worldly("a.example", "b.example")
    world.say(None, NEW, NEW)
    world.unreachable(error)

    resolution = await world.source.resolve(TAG)

    assert (resolution.descriptor.digest, resolution.by) == (NEW.digest, "agreement")
    assert [(said.host, said.digest) for said in resolution.said] == [
        (ORIGIN, None),
        ("a.example", NEW.digest),
        ("b.example", NEW.digest),
    ]


async def test_one_mirror_alone_is_not_enough_and_the_message_says_what_to_do():
    world = Worldly("a.example", "b.example")
    world.say(None, NEW, None)
    world.unreachable()

    with pytest.raises(Unresolved) as raised:
        await world.source.resolve(TAG)

    error = raised.value
    assert all(text in str(error) for text in ("docker.io/library/nginx:1.27", ORIGIN, "no route", "b.example"))
    assert f"a.example says {NEW.digest}" in str(error)
    assert f"`source: docker.io/library/nginx@{NEW.digest}`" in error.hint
    assert all(text in error.hint for text in ("another operator", "trust: tags", "syncer apply"))
    assert [said.host for said in error.said] == [ORIGIN, "a.example", "b.example"]


async def test_two_mirrors_of_one_operator_are_one():
    world = Worldly("m.daocloud.io/daocloud.io", "docker.m.daocloud.io/daocloud.io")
    world.say(None, NEW, NEW)
    world.unreachable()

    with pytest.raises(Unresolved):
        await world.source.resolve(TAG)


async def test_operators_that_contradict_each_other_settle_nothing_and_are_quoted():
    world = Worldly("a.example", "b.example")
    world.say(None, NEW, OLD)
    world.unreachable()

    with pytest.raises(Unresolved) as raised:
        await world.source.resolve(TAG)

    assert f"a.example says {NEW.digest}" in str(raised.value)
    assert f"b.example says {OLD.digest}" in str(raised.value)
    assert all(str(digest) in raised.value.hint for digest in (NEW.digest, OLD.digest))


async def test_a_stale_mirror_does_not_overrule_two_that_agree():
    world = Worldly("stale.example", "a.example", "b.example")
    world.say(None, OLD, NEW, NEW)
    world.unreachable()

    assert await world.digest() == NEW.digest


@pytest.mark.parametrize("ways", [(Way.ORIGIN, Way.MIRROR), (Way.MIRROR,), (Way.ORIGIN, Way.AGREEMENT, Way.MIRROR)])
async def test_a_mirror_with_trust_tags_is_enough_where_resolve_allows_it(ways):
    world = Worldly("a.example", "ours.example", ways=ways, trusted={"ours.example"})
    world.say(None, OLD, NEW)
    world.unreachable()

    resolution = await world.source.resolve(TAG)

    assert (resolution.descriptor.digest, resolution.by) == (NEW.digest, "mirror")


async def test_a_mirror_without_trust_is_not_believed_however_resolve_reads():
    world = Worldly("a.example", ways=(Way.MIRROR,))
    world.say(None, NEW)

    with pytest.raises(Unresolved, match="nobody to ask"):
        await world.source.resolve(TAG)


async def test_where_only_plans_resolve_nobody_is_asked():
    world = Worldly("a.example", ways=(Way.PLAN,))
    world.say(NEW, NEW)

    with pytest.raises(Unresolved) as raised:
        await world.source.resolve(TAG)

    assert "syncer apply" in raised.value.hint
    assert world.origin.calls == world.mirrors[0].calls == []


async def test_a_pinned_digest_needs_nobody_s_word():
    world = Worldly("a.example")
    hold(world.mirrors[0], NEW)
    world.unreachable()

    resolution = await world.source.resolve(NEW.digest)

    assert (resolution.descriptor.digest, resolution.by) == (NEW.digest, "digest")


async def test_fifty_tags_cost_one_timeout_of_the_origin_not_fifty():
    """Law 5: all ask at once; one finds out, the others take its word for it."""
    world = Worldly("a.example", "b.example")
    world.say(None, NEW, NEW)

    async def wait_in_vain(_verb, _what):
        await asyncio.sleep(0.02)
        raise TimedOut("no answer in 60 s", host=ORIGIN)

    world.origin.before = wait_in_vain
    repositories = [world.repository() for _ in range(50)]

    found = await asyncio.gather(*(repository.resolve(TAG) for repository in repositories))

    assert {resolution.by for resolution in found} == {"agreement"}
    assert len(world.origin.calls) == 1


async def test_a_silent_origin_is_not_asked_for_bytes_either():
    world = Worldly("a.example", "b.example")
    world.say(None, NEW, NEW)
    world.unreachable(TimedOut("no answer", host=ORIGIN))
    await world.source.resolve(TAG)

    with pytest.raises(Silent) as raised:
        await world.source.manifest(OLD.root.descriptor)

    assert not raised.value.transient
    assert len(world.origin.calls) == 1


async def test_an_origin_that_answered_before_is_asked_again_before_mirrors_are_believed():
    """One bad minute of the origin must not hand its tags over to two stale mirrors."""
    world = Worldly("a.example", "b.example")
    world.say(NEW, OLD, OLD)
    world.hosts.of(ORIGIN).answered = True
    world.origin.fail("resolve", ServerError("503", host=ORIGIN))

    with pytest.raises(ServerError):
        await world.source.resolve(TAG)

    assert await world.digest() == NEW.digest


async def test_an_origin_that_keeps_failing_is_out_of_reach():
    world = Worldly("a.example", "b.example")
    world.say(None, NEW, NEW)
    world.unreachable(ServerError("503", host=ORIGIN))
    record = world.hosts.of(ORIGIN)
    record.answered = True
    for _ in range(record.breaker.FAILURES):
        record.breaker.failed()

    assert await world.digest() == NEW.digest


async def test_a_mirror_that_fails_for_a_moment_leaves_the_question_open():
    world = Worldly("a.example", "b.example")
    world.say(None, NEW, NEW)
    world.unreachable()
    world.mirrors[1].fail("resolve", ServerError("503", host="b.example"))

    with pytest.raises(Unresolved) as raised:
        await world.source.resolve(TAG)

    assert raised.value.transient
    assert await world.digest() == NEW.digest


async def test_a_mirror_that_asked_for_patience_is_waited_for_by_asking_later():
    world = Worldly("a.example", "b.example")
    world.say(None, NEW, NEW)
    world.unreachable()
    world.hosts.of("b.example").closed_until = 60.0

    with pytest.raises(Unresolved) as raised:
        await world.source.resolve(TAG)

    assert raised.value.transient
    assert world.mirrors[1].calls == []


async def test_a_mirror_that_is_out_has_no_voice():
    world = Worldly("a.example", "b.example")
    world.say(None, NEW, NEW)
    world.unreachable()
    world.source.blame("b.example", CorruptContent("wrong bytes"))

    with pytest.raises(Unresolved, match=r"b\.example is not asked: it is out for this run: wrong bytes"):
        await world.source.resolve(TAG)

    assert world.mirrors[1].calls == []


async def test_only_the_origin_lists_tags():
    world = Worldly("a.example", trusted={"a.example"})
    world.say(NEW, OLD)
    assert await world.source.tags() == [TAG]

    world.unreachable()

    with pytest.raises(Unresolved) as raised:
        await world.source.tags()
    assert "glob" in raised.value.hint
    assert world.mirrors[0].calls == []


async def test_a_list_that_the_origin_refuses_is_not_said_to_be_out_of_reach():
    world = Worldly("a.example")
    world.unreachable(NotFound("no such repository", host=ORIGIN))
    with pytest.raises(NotFound):
        await world.source.tags()


async def test_what_the_origin_says_of_referrers_no_mirror_is_asked_about():
    world = Worldly("a.example", trusted={"a.example"})
    world.unreachable(NotFound("no such repository", host=ORIGIN))
    with pytest.raises(NotFound):
        await world.source.referrers(NEW.digest)
    assert world.mirrors[0].calls == []


async def test_when_nobody_may_be_asked_for_bytes_the_message_says_whom_it_would_be():
    world = Worldly("a.example")
    world.say(NEW, NEW)
    layer, everybody = NEW.root.layers[0], frozenset({ORIGIN, "a.example"})
    with pytest.raises(MirrorUnusable, match=f"nobody is left for {layer.digest} but a.example, {ORIGIN}"):
        async with world.source.blob(layer, avoid=everybody):
            pass


async def test_referrers_come_from_the_origin_or_from_a_mirror_that_is_believed():
    signature = image(b"signature", artifact_type="application/x", subject=NEW)
    for trusted, believed in ((set(), False), ({"a.example"}, True)):
        world = Worldly("a.example", trusted=trusted)
        hold(world.mirrors[0], signature)
        assert await world.repository().referrers(NEW.digest) == []

        world.unreachable()

        if believed:
            assert [d.digest for d in await world.source.referrers(NEW.digest)] == [signature.digest]
        else:
            with pytest.raises(Unreachable):
                await world.source.referrers(NEW.digest)
