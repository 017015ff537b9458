"""The main job with ECR as the target: Docker Hub's sandbox in, two ECR regions and a plain registry out."""

from dataclasses import replace

import pytest

from syncer.app.parts import Outside
from syncer.app.session import Task, session
from syncer.config.load import load_text
from syncer.credentials.static import StaticKeychain
from syncer.engine.stop import Stop
from syncer.oci.origin import Origin
from syncer.report.exit_code import exit_code
from syncer.report.model import Status
from syncer.sandbox import gallery
from syncer.sandbox.images import image
from syncer.sandbox.world import World
from syncer.settings.secret import Secret
from syncer.state.memory import MemoryState

ACCOUNT = "123456789012"
BEIJING = f"{ACCOUNT}.dkr.ecr.cn-north-1.amazonaws.com.cn"
DUBLIN = f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com"
TARGETS = f"""
version: 1
targets:
  beijing: {{registry: {BEIJING}}}
  dublin: {{registry: {DUBLIN}}}
  plain: {{registry: plain.example.com}}
"""


class Night:
    """A world with Docker Hub, two regions and a plain registry, and runs in it that share a state."""

    def __init__(self, world, tmp_path):
        self.world = world
        self.state = MemoryState()
        self.tmp_path = tmp_path
        self.keys = ("AKIATEST", Secret("secret"))
        self.share = 100  # of ECR's quotas: the sandbox's are raised as well

    @property
    def beijing(self):
        return self.world.regions["cn-north-1"]

    def settings(self, rules, top=TARGETS):
        return load_text(top + rules, "mirrors.yaml", {}, self.tmp_path)

    def outside(self):
        dial = {Origin.parse(name): Origin.parse(real) for name, real in self.world.dial.items()}
        keys = {"aws_keys": self.keys} if self.keys else {}
        return Outside(environ={}, dial=dial, docker=StaticKeychain({}), ecr_share=self.share, **keys)

    async def sync(self, rules, top=TARGETS, jobs=8):
        task = Task("sync", jobs=jobs)
        async with session(self.settings(rules, top), self.outside(), task, self.state) as run:
            return await run.carry_out(await run.plan(), Stop())

    def calls(self, region="cn-north-1"):
        return [call.operation for call in self.world.regions[region].state.calls]


@pytest.fixture
async def night(tmp_path):
    async with World() as world:
        for region in ("cn-north-1", "eu-west-1"):
            made = await world.add_region(region, ACCOUNT)
            made.switches.quota_factor = 100
        await world.add_registry("https://plain.example.com")
        for tag in ("1", "2"):
            world.hub.put("nginx", tag, image("nginx", tag))
        yield Night(world, tmp_path)


def rule(source="nginx", tags='["1", "2"]', targets="[beijing]", more=""):
    return f"images:\n  - source: {source}\n    target: base/{source}\n    tags: {tags}\n    targets: {targets}\n{more}"


def by_target(report):
    return {(str(o.target).split("/")[0], str(o.source.tag)): o for o in report.outcomes}


def codes(report):
    return [o.failure.code for o in report.outcomes if o.failure]


async def test_missing_repositories_are_created_and_digests_equal_the_sources(night):
    report = await night.sync(rule(targets="[beijing, dublin, plain]"))
    assert {o.status for o in report.outcomes} == {Status.COPIED}
    hub = night.world.hub.store["library/nginx"].tags
    assert night.beijing.registry.store["base/nginx"].tags == hub
    assert night.world.registries["https://plain.example.com"].store["base/nginx"].tags == hub


async def test_an_unchanged_tag_costs_one_head_at_the_origin_and_nothing_of_its_own_at_ecr(night):
    await night.sync(rule())
    night.world.log.clear()
    night.beijing.state.calls.clear()
    report = await night.sync(rule())
    assert {o.status for o in report.outcomes} == {Status.UP_TO_DATE}
    hub = [entry.method for entry in night.world.log.find(path="/manifests/") if entry.status == 200]
    assert hub == ["HEAD", "HEAD"]
    assert night.calls() == ["ListImages"]


async def test_an_immutable_tag_with_the_same_digest_is_success(night):
    immutable = TARGETS.replace(f"{BEIJING}}}", f"{BEIJING}, repositories: {{tag_mutability: IMMUTABLE}}}}")
    await night.sync(rule(), immutable)
    report = await night.sync(rule(), immutable)
    assert {o.status for o in report.outcomes} == {Status.UP_TO_DATE}


@pytest.mark.parametrize("newer_text", [False, True])
async def test_an_immutable_tag_with_another_digest_is_blocked(night, newer_text):
    night.beijing.switches.newer_immutable_text = newer_text
    immutable = TARGETS.replace(f"{BEIJING}}}", f"{BEIJING}, repositories: {{tag_mutability: IMMUTABLE}}}}")
    await night.sync(rule(), immutable)
    night.world.hub.put("nginx", "1", image("nginx", "1 again"))
    report = await night.sync(rule(), immutable)
    assert {o.status.value for o in report.outcomes} == {"blocked", "up_to_date"}
    assert (codes(report), exit_code(report)) == (["E302"], 1)


async def test_what_ecr_cannot_store_is_blocked_there_while_others_get_it(night):
    night.world.hub.put("odd", "empty", gallery.empty_layer())
    report = await night.sync(rule("odd", '["empty"]', "[beijing, plain]"))
    assert by_target(report)[BEIJING, "empty"].failure.code == "E305"
    assert by_target(report)["plain.example.com", "empty"].status is Status.COPIED
    assert "CreateRepository" not in night.calls()


async def test_schema_1_is_refused_while_planning(night):
    night.world.hub.put("odd", "old", gallery.schema1())
    report = await night.sync(rule("odd", '["old"]'))
    assert (codes(report), report.outcomes[0].status) == (["E308"], Status.BLOCKED)


async def test_leave_to_create_repositories_can_be_withheld(night):
    closed = TARGETS.replace(f"{BEIJING}}}", f"{BEIJING}, repositories: {{create: false}}}}")
    report = await night.sync(rule(), closed)
    assert codes(report) == ["E301", "E301"]
    assert "base/nginx" in report.outcomes[0].failure.message


async def test_a_base_is_mounted_where_the_account_allows_it(night):
    night.beijing.registry.settings.account["BLOB_MOUNTING"] = "ENABLED"
    night.world.hub.put("redis", "7", image("redis", "7"))
    report = await night.sync(rule() + rule("redis", '["7"]').removeprefix("images:\n"), jobs=1)
    redis = by_target(report)[BEIJING, "7"]
    assert (redis.status, redis.bytes_reused > 0) == (Status.COPIED, True)


async def test_where_mounts_are_refused_the_layer_is_uploaded(night):
    night.world.hub.put("redis", "7", image("redis", "7"))
    report = await night.sync(rule() + rule("redis", '["7"]').removeprefix("images:\n"), jobs=1)
    redis = by_target(report)[BEIJING, "7"]
    assert (redis.status, redis.bytes_reused) == (Status.COPIED, 0)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_password_that_expires_meanwhile_is_renewed(night, status):
    night.beijing.switches.expired_status = status
    await night.sync(rule(tags='["1"]'))
    async with session(night.settings(rule()), night.outside(), Task("sync"), night.state) as run:
        plan = await run.plan()
        minted = night.beijing.state.tokens.minted
        minted.update({text: replace(token, expires_at=night.world.clock.now()) for text, token in minted.items()})
        report = await run.carry_out(plan, Stop())
    assert {o.status for o in report.outcomes} == {Status.COPIED, Status.UP_TO_DATE}


async def test_a_service_that_throttles_is_waited_for(night):
    night.beijing.switches.quota_factor = 1
    night.beijing.switches.burst_seconds = 0.4
    night.share = 0.8
    report = await night.sync(rule())
    assert codes(report) == []
    assert sum(night.beijing.registry.throttle.refused.values()) > 0


async def test_an_upload_whose_connection_dies_is_delivered_anew(night):
    night.beijing.switches.reset_upload_after = 10
    report = await night.sync(rule())
    assert {o.status for o in report.outcomes} == {Status.COPIED}
    assert night.beijing.switches.reset_upload_after is None


async def test_credentials_that_aws_refuses_are_exit_3_and_do_not_stop_the_other_target(night):
    night.beijing.state.principals.strict = True
    report = await night.sync(rule(targets="[beijing, plain]"))
    assert {o.status for (host, _), o in by_target(report).items() if host == BEIJING} == {Status.FAILED}
    assert {o.status for (host, _), o in by_target(report).items() if host != BEIJING} == {Status.COPIED}
    assert (set(codes(report)), exit_code(report)) == ({"E204"}, 3)


async def test_two_partitions_use_the_profiles_of_their_targets(night, tmp_path, monkeypatch):
    file = tmp_path / "credentials"
    sections = {"china": "AKIACHINA", "global": "AKIAGLOBAL"}
    text = "".join(f"[{name}]\naws_access_key_id={key}\naws_secret_access_key=s\n" for name, key in sections.items())
    file.write_text(text)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    night.keys = None
    top = TARGETS.replace(f"{BEIJING}}}", f"{BEIJING}, profile: china}}")
    await night.sync(rule(targets="[beijing, dublin]"), top.replace(f"{DUBLIN}}}", f"{DUBLIN}, profile: global}}"))
    used = {name: set(region.state.principals.seen) for name, region in night.world.regions.items()}
    assert used == {"cn-north-1": {"AKIACHINA"}, "eu-west-1": {"AKIAGLOBAL"}}


async def test_referrers_travel_to_ecr(night):
    signed = image("signed", "1")
    about = gallery.artifact(signed)
    night.world.hub.put("signed", "1", signed)
    night.world.hub.put("signed", gallery.fallback_tag(signed), gallery.fallback([about]))
    report = await night.sync(rule("signed", '["1"]', more="    referrers: true\n"))
    assert {o.status for o in report.outcomes} == {Status.COPIED}
    (found,) = night.beijing.registry.store["base/signed"].referrers(signed.digest)
    assert (found["digest"], found["artifactType"]) == (about.digest, "application/vnd.example.sbom")
