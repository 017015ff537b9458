"""What must not be touched: strace sees every file that is opened and every address that is connected to."""

import importlib.util
import re
from pathlib import Path

import pytest

TABLE = Path(__file__).parent.parent / "unit/config/test_broken_files.py"
COMMANDS = ("check", "plan", "sync")
SHARE = 14  # every so many of the broken files; the rest differ only in what tests/unit/config looks at
LOOPBACK = re.compile(r'inet_addr\("127\.|inet_pton\(AF_INET6, "::1"|AF_UNIX|AF_NETLINK|AF_UNSPEC')


def broken_files() -> list[str]:
    spec = importlib.util.spec_from_file_location("broken_files", TABLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return [module.WHOLE.replace(old, new, 1) for old, new, *_ in module.BROKEN[::SHARE]]


def strace(shell, calls: str) -> tuple[str, ...]:
    return ("strace", "-f", "-qq", "-e", f"trace={calls}", "-o", str(shell.directory / "trace"))


@pytest.mark.parametrize("number", range(len(broken_files())))
async def test_a_broken_file_gets_a_located_message_and_no_connection(shell, number):
    shell.write(broken_files()[number])
    command = COMMANDS[number % len(COMMANDS)]

    ran = await shell.run(command, before=strace(shell, "connect"))

    assert ran.code == 2
    assert re.match(r"mirrors\.yaml:\d+:\d+: error\[E1\d\d\]: ", ran.err)
    assert ran.out == ""
    assert "connect(" not in (shell.directory / "trace").read_text()


CANARIES = {
    "AWS_ACCESS_KEY_ID": "canary",
    "AWS_SECRET_ACCESS_KEY": "canary",
    "AWS_PROFILE": "canary",
    "AWS_ENDPOINT_URL": "http://192.0.2.1",
    "AWS_CA_BUNDLE": "/canary",
    "HTTPS_PROXY": "http://192.0.2.1:3128",
    "http_proxy": "http://192.0.2.1:3128",
    "ALL_PROXY": "http://192.0.2.1:3128",
    "HUB_USER": "canary",
    "HUB_TOKEN": "canary",
    "SSL_CERT_FILE": "/canary",
}
OWN = (".aws/credentials", ".aws/config", ".docker/config.json", ".netrc", "docker-canary/config.json", "token")
DEMO = """
version: 1
registries:
  docker.io:
    auth: {username: "${HUB_USER:-}", password: "file:token"}
    tls: {ca: token}
    proxy: http://192.0.2.1:3128
    mirrors: [https://m.daocloud.io/docker.io]
  quay.io:
    auth: {username: "${HUB_USER:?who are you}", password: "${HUB_TOKEN:?}"}
targets:
  ecr: {registry: 123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn, profile: canary}
  plain: {registry: "${REGISTRY:?where to}:5000"}
defaults: {targets: [ecr, plain], target: "mirror/{repository}"}
images:
  - {source: nginx, tags: ["1.27", "2.*"], referrers: true}
  - {source: eclipse-temurin:21-jre, target: base/jre:21, platforms: [linux/arm64]}
  - {source: quay.io/prometheus/prometheus, tags: [v2.53.0]}
"""


async def test_the_demo_reads_nothing_of_the_user_and_stays_on_loopback(shell):
    for name in OWN:
        shell.write("canary", name)
    shell.write(DEMO)
    given = CANARIES | {"DOCKER_CONFIG": str(shell.directory / "docker-canary")}

    ran = await shell.run("demo", "-c", "mirrors.yaml", before=strace(shell, "openat,connect"), **given)

    trace = (shell.directory / "trace").read_text()
    assert ran.code == 0, ran
    assert "3 rules, 3 images" in ran.out
    assert "canary" not in ran.out + ran.err
    assert [name for name in OWN if f"{shell.directory}/{name}" in trace or f'"{name}"' in trace] == []
    assert [line for line in trace.splitlines() if "connect(" in line and not LOOPBACK.search(line)] == []
    assert "connect(" in trace  # so that silence means something
