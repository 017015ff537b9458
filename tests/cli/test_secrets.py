"""S29: no secret of the user's is shown, logged, reported or kept, be it plain or in base64."""

import base64
import json
import logging

import pytest

from syncer.cli.logs import tell
from syncer.cli.redaction import Redactor, secrets_in
from syncer.sandbox import actions
from syncer.sandbox.faults import Fault

FILE, CONFIG, AWS = "canary-in-mirrors-yaml", "canary-in-docker-config", "canary-in-aws-environment"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "AKIACANARYCANARY",
    "AWS_SECRET_ACCESS_KEY": AWS,
    "AWS_SESSION_TOKEN": AWS + "-session",
}


def in_base64(secret: str) -> list[str]:
    """What is found of it in base64, whatever stands before it."""
    return [base64.b64encode(b"x" * lead + secret.encode())[4:-4].decode() for lead in range(3)]


def leaks(text: str) -> list[str]:
    forms = [form for secret in (FILE, CONFIG, AWS) for form in (secret, *in_base64(secret))]
    return [form for form in forms if form in text]


def everything(shell, ran) -> str:
    """All that the command has left: what it printed, its report and its state."""
    found = (shell.directory.glob(pattern) for pattern in ("state/**/*", "report*", "plan*"))
    files = [path for paths in found for path in paths if path.is_file()]
    return ran.out + ran.err + "".join(file.read_bytes().decode("latin-1") for file in files)


def docker_config(town) -> None:
    login = base64.b64encode(f"joe:{CONFIG}".encode()).decode()
    auths = {registry.server.address.partition("://")[2]: {"auth": login} for registry in (town.target, town.origin)}
    town.shell.write(json.dumps({"auths": auths}), ".docker/config.json")


@pytest.mark.parametrize("right", [True, False])
@pytest.mark.parametrize("command", [("sync",), ("plan", "--out", "plan.json"), ("verify", "--deep")])
async def test_no_secret_is_left_anywhere(town, command, right):
    town.publish("app:1")
    town.origin.ask_for_passwords({"joe": FILE if right else "other"})
    town.target.ask_for_tokens({"joe": CONFIG if right else "other"})
    town.config("app:1", registry={"auth": {"username": "joe", "password": FILE}})
    docker_config(town)

    ran = await town.shell.run(*command, "-v", "--report", "report.json", **ENVIRONMENT)

    assert ran.code == (3 if not right else 5 if command[0] == "verify" else 0)
    assert town.world.log.holding("Basic ")
    assert leaks(everything(town.shell, ran)) == []


async def test_a_registry_that_says_our_secret_back_does_not_get_it_printed(town):
    sent = base64.b64encode(f"joe:{FILE}".encode()).decode()
    town.publish("app:1")
    body = json.dumps({"errors": [{"code": "DENIED", "message": f"no entry for {FILE} {sent}"}]}).encode()
    town.origin.server.faults.add(
        Fault(actions.reply(403, body), method="GET", path="/manifests/", when=with_credential)
    )
    town.origin.ask_for_passwords({"joe": FILE})
    town.config("app:1", registry={"auth": {"username": "joe", "password": FILE}})

    ran = await town.shell.run("sync", "--report", "report.json")

    assert ran.code == 3
    assert "no entry for *** ***" in ran.out
    assert leaks(everything(town.shell, ran)) == []


def with_credential(request) -> bool:
    return "Authorization" in request.headers


SHAPES = [
    "Authorization: Bearer abc.SECRET",
    "'Authorization': 'Basic SECRET=='",
    '"authorization": "AWS4-HMAC-SHA256 Credential=SECRET"',
    "GET https://bucket/x?X-Amz-Signature=SECRET&X-Amz-Date=1",
    "https://cdn/x?Signature=SECRET&Key-Pair-Id=K",
    "https://auth/token?token=SECRET",
    '{"refresh_token": "SECRET"}',
    "aws_secret_access_key=SECRET",
    "https://joe:SECRET@proxy.example:3128",
]


@pytest.mark.parametrize("text", SHAPES)
def test_what_looks_like_a_secret_is_cut_out_of_logs(text):
    shown = Redactor()(text)

    assert "SECRET" not in shown
    assert "***" in shown


def test_ordinary_lines_stay_as_they_are():
    text = "nginx:1.27 at m.daocloud.io: sha256:41c27f0a, 3 tokens left; see https://x.example:443/a@b"

    assert Redactor()(text) == text


@pytest.mark.parametrize("form", ["{}", "user:{}", "ab{}", "abc{}xyz"])
def test_known_values_are_found_in_base64_too(form):
    redactor = Redactor()
    redactor.hide(secrets_in({"HUB_TOKEN": FILE, "PATH": "/usr/bin"}))

    encoded = base64.b64encode(form.format(FILE).encode()).decode()

    assert "***" in redactor(f"sent {encoded}")
    assert leaks(redactor(f"sent {encoded}")) == []
    assert redactor("/usr/bin") == "/usr/bin"


def test_log_records_and_tracebacks_pass_through_the_redactor(options, capsys):
    options.redactor.hide([FILE])
    error = ValueError(f"bad password {FILE}")
    logging.getLogger("asyncio").error("Task exception was never retrieved", exc_info=error)

    shown = capsys.readouterr().err
    assert "Task exception was never retrieved" in shown
    assert "bad password ***" in shown


def test_nothing_that_is_told_moves_a_terminal(options, capsys):
    logging.getLogger("syncer").warning("logged and \x1b[2J two")
    tell(options, "note", "told and \x1b[2J two")

    shown = capsys.readouterr().err
    assert [word in shown for word in ("logged and ", "told and ", "\x1b")] == [True, True, False]


@pytest.mark.usefixtures("options")
@pytest.mark.parametrize("options", [{"verbose": True}], indirect=True)
def test_what_is_of_use_to_the_authors_of_libraries_only_is_not_shown(capsys):
    logging.getLogger("botocore").info("headers and all")
    logging.getLogger("botocore").warning("something is wrong")

    shown = capsys.readouterr().err
    assert "headers and all" not in shown
    assert "something is wrong" in shown
