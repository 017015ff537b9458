"""The examples in deploy/: no root, nothing writable but the state, one run at a time, and time to end well."""

import re
from pathlib import Path

import pytest
import yaml

import syncer
from syncer.config.load import load_text

ROOT = Path(__file__).parents[1]
TEXTS = {path.name: path.read_text("utf-8") for path in (ROOT / "deploy").glob("*.yaml")}
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
GRACE = int(
    re.search(r"in (\d+) seconds\. The report is printed", (ROOT / "docs/command-line.md").read_text("utf-8"))[1]
)
(USER,) = re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)
(STATE,) = re.findall(r"^VOLUME (\S+)$", DOCKERFILE, re.MULTILINE)


@pytest.fixture
def objects():
    return {one["kind"]: one for one in yaml.safe_load_all(TEXTS["cronjob.yaml"])}


@pytest.fixture
def pod(objects):
    return objects["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]


@pytest.fixture
def service():
    return yaml.safe_load(TEXTS["compose.yaml"])["services"]["syncer"]


def test_kubernetes_runs_one_job_at_a_time_and_repeats_none(objects, pod) -> None:
    spec = objects["CronJob"]["spec"]

    assert spec["concurrencyPolicy"] == "Forbid"
    assert (spec["jobTemplate"]["spec"]["backoffLimit"], pod["restartPolicy"]) == (0, "Never")


def test_the_pod_is_the_user_of_the_image_and_never_root(pod) -> None:
    context = pod["securityContext"]

    assert context["runAsNonRoot"] is True
    assert f"{context['runAsUser']}:{context['runAsGroup']}" == USER
    assert context["fsGroup"] == context["runAsGroup"]
    assert context["fsGroupChangePolicy"] == "OnRootMismatch"
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()


def test_its_container_can_gain_nothing_and_write_only_its_state(pod) -> None:
    (container,) = pod["containers"]
    writable = [mount["mountPath"] for mount in container["volumeMounts"] if not mount.get("readOnly")]

    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert writable == [STATE]
    assert "memory" in container["resources"]["limits"]


def test_every_mount_has_its_volume_and_none_is_of_the_host(pod) -> None:
    mounts = {mount["name"] for mount in pod["containers"][0]["volumeMounts"]}

    assert {volume["name"] for volume in pod["volumes"]} == mounts
    assert not [volume for volume in pod["volumes"] if "hostPath" in volume]


def test_compose_gives_the_same_and_no_more(service) -> None:
    writable = [volume.split(":")[1] for volume in service["volumes"] if not volume.endswith(":ro")]

    assert (service["user"], service["read_only"], service["cap_drop"]) == (USER, True, ["ALL"])
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert writable == [STATE]
    assert not service.get("privileged")


def test_both_wait_longer_than_a_stopped_run_takes(pod, service) -> None:
    assert GRACE == 25
    assert pod["terminationGracePeriodSeconds"] >= 2 * GRACE
    assert int(service["stop_grace_period"].removesuffix("s")) >= 2 * GRACE


def test_the_rules_in_the_config_map_are_a_file_that_syncer_takes(objects) -> None:
    settings = load_text(objects["ConfigMap"]["data"]["mirrors.yaml"], "mirrors.yaml", {}, ROOT)

    assert settings.rules


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_an_example_names_this_version_no_secret_and_no_socket_of_docker(name) -> None:
    images = re.findall(r"image: (\S+)", TEXTS[name])

    assert [image.rpartition(":")[2] for image in images] == [syncer.__version__]
    assert "docker.sock" not in TEXTS[name]
    assert not re.search(r"passw|secret|AKIA", TEXTS[name], re.IGNORECASE)
