"""S8, S19, S28, S29: whatever servers do and however a run ends, no secret is in anything that it writes.

Each credential, header and query holds a canary of its own. Everything is looked through: both outputs, report, plan,
state, spool and the process's arguments; for each canary plain, percent-encoded, in hex, reversed and in base64.
"""

from __future__ import annotations

import asyncio
import base64
import json
import signal
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from cli_town import ended, until
from hostile_registry import NAME, HostileRegistry
from victim import leaks

SIGNED = "{elsewhere}{target}?X-Amz-Signature=c4nary-signature&X-Amz-Security-Token=c4nary-session"
SCENES = {
    "honest": [],
    "basic": ["wants-basic"],
    "echo-basic": ["no-head", "wants-basic", "says-it-back"],
    "echo-token": ["no-head", "wants-token", "says-it-back"],
    "realm": ["realm-elsewhere"],
    "cdn": ["wants-basic", "redirect-blobs"],
    "digest": ["wants-token", "lying-digest"],
    "blobs": ["wants-basic", "lying-blobs"],
    "flood": ["wants-basic", "endless-manifest"],
    "errors": ["no-head", "wants-basic", "escapes-in-errors"],
    "warnings": ["wants-basic", "escapes-in-warnings"],
    "redirects": ["wants-basic", "redirect-manifests"],
}
SERVERS_OWN = ["c4nary-signature", "c4nary-session", "t0ken-of-the-registry", "c4nary-proxy", "c4nary-aws-secret"]
VERBOSE = {"PYTHONASYNCIODEBUG": "1", "PYTHONDEVMODE": "1", "PYTHONWARNINGS": "default", "PYTHONFAULTHANDLER": "1"}
PROXY = {"HTTPS_PROXY": "http://me:c4nary-proxy@127.0.0.1:1", "NO_PROXY": "127.0.0.1"}
KEYS = PROXY | {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "c4nary-aws-secret"}


def password(scene: str) -> str:
    return f"c4nary/{scene}+passw0rd"


def everything(shell, *more: str) -> str:
    """All that runs have left in the user's directory, except the files that hold the secrets by right."""
    ours = ("mirrors.yaml", "config.json", "sitecustomize.py", ".pyc")
    files = [path for path in shell.directory.rglob("*") if path.is_file() and not path.name.endswith(ours)]
    names = [str(path) for path in files]
    return "\n".join([*names, *more, *(path.read_bytes().decode("latin-1") for path in files)])


class Stage:
    """One registry per scene, each with a credential of its own: half in mirrors.yaml, half in docker's file."""

    def __init__(self, shell) -> None:
        self.shell = shell
        self.registries: dict[str, HostileRegistry] = {}
        self.target: HostileRegistry | None = None
        self.thief: HostileRegistry | None = None
        self.canaries = [*SERVERS_OWN, *map(password, SCENES)]

    def write(self, *scenes: str) -> None:
        docker: dict = {}
        registries: dict = {self.thief.netloc: {}}  # named, so that it may be private
        for number, scene in enumerate(scenes):
            netloc = self.registries[scene].netloc
            login = {"username": "me", "password": password(scene)}
            registries[netloc] = {"resolve": ["origin"]} | ({} if number % 2 else {"auth": login})
            if number % 2:
                pair = base64.b64encode(f"me:{password(scene)}".encode()).decode()
                docker[netloc] = {"auth": pair}
        sources = [f"{self.registries[scene].netloc}/{NAME}:1" for scene in scenes] + ["proxied.example/app:1"]
        images = [{"source": source, "target": f"copy/{at}:1"} for at, source in enumerate(sources)]
        config = {"version": 1, "registries": registries, "images": images}
        config["targets"] = {"here": {"registry": self.target.netloc}}
        self.shell.write(json.dumps(config))
        self.shell.write(json.dumps({"auths": docker}), ".docker/config.json")

    def received(self, scene: str) -> bytes:
        return self.registries[scene].server.received


@pytest.fixture
async def stage(shell):
    made = Stage(shell)
    async with AsyncExitStack() as stack:
        made.target = await stack.enter_async_context(HostileRegistry(empty=True).running())
        made.thief = await stack.enter_async_context(HostileRegistry(["wants-basic"]).running())
        for scene, tricks in SCENES.items():
            layer = scene.encode() * 1000
            registry = HostileRegistry(tricks, elsewhere=made.thief.origin, location=SIGNED, layer=layer)
            made.registries[scene] = await stack.enter_async_context(registry.running())
        yield made


def assert_secret(stage, *more: str) -> None:
    """No canary is in what was left; and there was something to leak, since the credentials were sent."""
    assert leaks(everything(stage.shell, *more), stage.canaries) == []


def sent(stage, scenes) -> set[str]:
    """The scenes whose registry was sent its password."""
    found = set()
    for scene in scenes:
        pair = base64.b64encode(f"me:{password(scene)}".encode())
        found |= {scene} if pair in stage.received(scene) else set()
    return found


LOGGED_IN = set(SCENES) - {"honest", "realm"}


COMMANDS = [
    ("sync", "--report", "report.json", "--log-format", "text"),
    ("sync", "--report", "report.json", "--log-format", "json"),
    ("plan", "--out", "plan.json", "-o", "json"),
    ("verify", "--deep"),
]


@pytest.mark.parametrize("command", COMMANDS)
async def test_no_secret_is_in_anything_that_a_run_leaves(stage, command):
    stage.write(*SCENES)

    ran = await stage.shell.run(*command, "-v", "--retries", "0", **VERBOSE, **KEYS)

    assert ran.code in (1, 3, 4, 5)
    assert "Traceback" not in ran.err
    assert sent(stage, SCENES) == LOGGED_IN
    assert "***" in ran.out
    assert_secret(stage, ran.out, ran.err)


async def test_what_a_server_says_stays_on_its_line_and_moves_no_terminal(stage):
    stage.write("errors", "warnings")

    for log_format in ("text", "json"):
        ran = await stage.shell.run("sync", "-v", "--retries", "0", "--log-format", log_format)

        shown = ran.out + ran.err
        assert "red" in shown
        assert all(c.isprintable() or c == "\n" for c in shown)
        assert not [line for line in shown.splitlines() if line.startswith("fake:")]


CHAOS = """
import asyncio, logging, os, threading
import aiohttp

class Finalized:
    def __init__(self, text): self.text = text
    def __del__(self): raise ValueError(f"chaos in a finalizer: {self.text}")

async def fail(text): raise ValueError(f"chaos in a task: {text}")

def thread(text): raise ValueError(f"chaos in a thread: {text}")

async def request(self, method, url, **given):
    text = f"{url} {dict(given['headers'])} {given}"
    if os.environ["CHAOS"] not in text:
        return await honest(self, method, url, **given)
    loop = asyncio.get_running_loop()
    asyncio.ensure_future(fail(text))
    Finalized(text)
    started = threading.Thread(target=thread, args=(text,))
    started.start()
    started.join()
    loop.call_exception_handler({"message": f"chaos in the loop: {text}", "exception": ValueError(text)})
    logging.getLogger("aiohttp.client").error("chaos in a record: %s", text)
    logging.getLogger("aiohttp.client").error("chaos in its arguments: %d", text)
    await asyncio.sleep(0.05)
    raise LookupError(f"chaos in a request: {text}")

honest, aiohttp.ClientSession._request = aiohttp.ClientSession._request, request
"""
PLACES = ("a task", "a thread", "a finalizer", "the loop", "a record", "a request")


@pytest.mark.parametrize(("scene", "when"), [("basic", "Basic "), ("echo-token", "Bearer "), ("cdn", "Signature=")])
async def test_no_secret_is_in_what_a_crash_leaves(stage, scene, when):
    """What lies under our code raises errors that quote headers and signed URLs, wherever nobody catches them."""
    stage.shell.write(CHAOS, "chaos/sitecustomize.py")
    stage.write("honest", scene)

    path = f"{stage.shell.directory / 'chaos'}:{Path(__file__).parents[2]}"
    ran = await stage.shell.run(
        "sync", "-v", "--retries", "0", "--report", "report.json", PYTHONPATH=path, CHAOS=when, **KEYS
    )

    assert ran.code == 70
    assert [place for place in PLACES if f"chaos in {place}" not in ran.err] == []
    assert "a record that cannot be formatted" in ran.err
    assert "***" in ran.err
    assert_secret(stage, ran.out, ran.err)


def command_line(process: int) -> str:
    return Path(f"/proc/{process}/cmdline").read_bytes().decode()


async def test_no_secret_is_in_a_dump_or_on_the_command_line(stage):
    async def silent(asked, writer):
        await (asyncio.sleep(20) if "authorization" in asked.headers else honest(asked, writer))

    stage.write("basic", "echo-token")
    registry = stage.registries["basic"]
    honest, registry.answer = registry.answer, silent
    process = await stage.shell.start("sync", "-v", **VERBOSE, **KEYS)
    await until(lambda: sent(stage, ["basic"]) == {"basic"})
    arguments = command_line(process.pid)
    process.send_signal(signal.SIGABRT)

    ran = await ended(process)

    assert ran.code == -signal.SIGABRT
    assert "Fatal Python error: Aborted" in ran.err
    assert "sync" in arguments
    assert_secret(stage, ran.out, ran.err, arguments)


async def test_no_secret_is_in_what_is_said_when_there_are_no_files_left(stage):
    stage.write(*SCENES)

    few = ("sh", "-c", 'ulimit -n 12 && exec "$@"', "sh")
    ran = await stage.shell.run("sync", "-v", "--retries", "0", before=few, **KEYS)

    assert ran.code not in (0, None)
    assert "Too many open files" in ran.out + ran.err
    assert_secret(stage, ran.out, ran.err)
