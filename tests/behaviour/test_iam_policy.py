"""The IAM policy in docs/credentials.md: exactly what whole runs against the sandbox's ECR ask leave for."""

import asyncio
import json
import re
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from syncer.app.parts import Outside
from syncer.app.session import Task, session
from syncer.config.load import load_text
from syncer.credentials.static import StaticKeychain
from syncer.engine.stop import Stop
from syncer.oci.origin import Origin
from syncer.report.exit_code import exit_code
from syncer.sandbox import gallery
from syncer.sandbox.images import image
from syncer.sandbox.world import World
from syncer.settings.secret import Secret
from syncer.state.memory import MemoryState

PAGE = (Path(__file__).parents[2] / "docs/credentials.md").read_text("utf-8")
POLICY = json.loads(re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)[1])
ACCOUNT = "123456789012"
HOSTS = {
    "cn-north-1": f"{ACCOUNT}.dkr.ecr.cn-north-1.amazonaws.com.cn",
    "eu-west-1": f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com",
}
DATA_PLANE = {  # which leave a request to /v2/ needs (Amazon ECR user guide, "IAM permissions for pushing an image")
    ("HEAD", "manifests"): "BatchGetImage",
    ("GET", "manifests"): "BatchGetImage",
    ("GET", "referrers"): "BatchGetImage",
    ("GET", "tags"): "ListImages",
    ("HEAD", "blobs"): "BatchCheckLayerAvailability",
    ("GET", "blobs"): "GetDownloadUrlForLayer",
    ("POST", "uploads"): "InitiateLayerUpload",
    ("PUT", "uploads"): "CompleteLayerUpload",
    ("PUT", "manifests"): "PutImage",
}
PATH = re.compile(r"/v2/(?P<name>.+?)/(?:blobs/)?(?P<kind>manifests|referrers|tags|blobs|uploads)/[^/]*")
FILE = """
version: 1
targets:
  ecr:
    registry: HOST
    repositories: {lifecycle: {untagged_after_days: 14}, tags: {owner: platform}}
  plain: {registry: plain.example.com}
registries: {docker.io: {limits: {per_second: 0}}}
defaults: {referrers: true}
images:
  - {source: nginx, tags: ["1", "2"], target: base/nginx, targets: [ecr]}
  - {source: redis, tags: ["7"], target: base/redis, targets: [ecr]}
"""
OUT_AGAIN = "  - {source: HOST/base/nginx, tags: ['*'], target: out/nginx, targets: [plain]}\n"


class Account:
    """One account in one region, what runs ask of it, and which leave that takes."""

    def __init__(self, world, region, directory):
        self.world, self.host, self.region, self.directory = world, HOSTS[region], world.regions[region], directory
        self.state = MemoryState()
        self.asked = {}  # by the name of the run
        self.touched = set()  # repositories

    async def run(self, name, command, text=FILE, *, deep=False):
        self.region.state.calls.clear()
        self.world.log.clear()
        self.asked[name] = set()
        assert exit_code(await self._ran(command, text.replace("HOST", self.host), deep)) in {0, 10}
        self.asked[name] = of_ecr(self._asked())

    async def _ran(self, command, text, deep):
        dial = {Origin.parse(name): Origin.parse(real) for name, real in self.world.dial.items()}
        keys = ("AKIATEST", Secret("secret"))
        outside = Outside(environ={}, dial=dial, docker=StaticKeychain({}), ecr_share=100, aws_keys=keys)
        settings = load_text(text, "mirrors.yaml", {}, self.directory)
        async with session(settings, outside, Task(command, jobs=1), self.state) as opened:
            if command == "verify":
                return await opened.verify(deep=deep)
            plan = await opened.plan()
            return opened.preview(plan) if command == "plan" else await opened.carry_out(plan, Stop())

    def _asked(self):
        called = {call.operation for call in self.region.state.calls}
        if "CreateRepository" in called and all(
            one.resource_tags for one in self.region.registry.repositories.values()
        ):
            called.add("TagResource")
        for entry in self.world.log.entries:
            if entry.server == self.host and entry.path != "/v2/":
                path = PATH.fullmatch(entry.path)
                self.touched.add(path["name"])
                called.add(DATA_PLANE[entry.method, path["kind"]])
                called |= {"GetDownloadUrlForLayer"} if "mount=" in entry.query else set()
                called |= {"UploadLayerPart"} if path["kind"] == "uploads" and entry.received else set()
        return called


async def recorded(region, directory):
    """Everything that reads or writes, once: what is missing, what has moved, out of ECR again, read back."""
    async with World() as world:
        made = await world.add_region(region, ACCOUNT)
        made.switches.quota_factor = 100
        made.registry.settings.account["BLOB_MOUNTING"] = "ENABLED"
        await world.add_registry("https://plain.example.com")
        signed = image("nginx", "2")
        world.hub.put("nginx", "1", image("nginx", "1"))
        world.hub.put("nginx", "2", signed)
        world.hub.put("nginx", gallery.fallback_tag(signed), gallery.fallback([gallery.artifact(signed)]))
        world.hub.put("redis", "7", image("redis", "7"))
        account = Account(world, region, directory)
        await account.run("first", "sync")
        world.hub.put("nginx", "1", image("nginx", "1 again"))
        await account.run("plan", "plan")
        await account.run("moved", "sync", FILE + OUT_AGAIN)
        await account.run("verify", "verify", deep=False)
        await account.run("deep", "verify", deep=True)
        return account


@pytest.fixture(scope="module", params=HOSTS)
def account(request, tmp_path_factory):
    return asyncio.run(recorded(request.param, tmp_path_factory.mktemp("account")))


def allowed(*sids):
    actions = [one["Action"] for one in POLICY["Statement"] if not sids or one["Sid"] in sids]
    return {action for each in actions for action in ([each] if isinstance(each, str) else each)}


def of_ecr(actions):
    return {f"ecr:{action}" for action in actions}


def test_the_policy_allows_what_whole_runs_ask_for_and_nothing_more(account):
    assert set().union(*account.asked.values()) == allowed()


def test_the_repositories_that_are_touched_are_those_of_the_policy(account):
    (resource,) = {one["Resource"] for one in POLICY["Statement"] if one["Sid"] in {"ReadAndPush", "Create"}}
    pattern = resource.partition(":repository/")[2]

    assert account.touched == {"base/nginx", "base/redis"}
    assert all(fnmatchcase(name, pattern) for name in account.touched)


@pytest.mark.parametrize("run", ["plan", "verify", "deep"])
def test_reading_needs_only_what_the_page_says_of_it(account, run):
    said = PAGE[PAGE.index("`plan` and `verify` write nothing") :].partition("\n\n")[0]
    named = allowed("Login") | of_ecr(re.findall(r"`([A-Z]\w+)`", said)) - {"ecr:Login"}
    deep = {"ecr:GetDownloadUrlForLayer"}

    assert account.asked[run] <= named - (set() if run == "deep" else deep)
    assert account.asked["deep"] >= deep


def test_where_all_repositories_exist_nobody_needs_leave_to_create(account):
    assert "ecr:PutImage" in account.asked["moved"]
    assert not account.asked["moved"] & allowed("Create")
    assert account.asked["first"] >= allowed("Create")


def test_arns_are_of_one_partition_and_the_page_names_the_other(account):
    resources = {one["Resource"] for one in POLICY["Statement"]} - {"*"}

    assert {resource.split(":")[1] for resource in resources} == {"aws-cn"}
    assert f"arn:{account.region.names.partition}:ecr:" in PAGE


def test_only_the_login_is_for_everything_and_no_statement_deletes_or_has_wild_actions():
    assert [one["Sid"] for one in POLICY["Statement"] if one["Resource"] == "*"] == ["Login"]
    assert {one["Effect"] for one in POLICY["Statement"]} == {"Allow"}
    assert all(re.fullmatch(r"ecr:(?!.*Delete)[A-Za-z]+", action) for action in allowed())
