"""What a run may cost, counted at the registries on the whole corpus; layers have a fiftieth of their size."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.timeout(300)  # one session of several runs comes first
MEASURED = ("cold", "unchanged", "changed", "fan-out")


@pytest.fixture(scope="module")
def out(tmp_path_factory) -> Path:
    """Where `python -m bench` wrote what it measured of syncer alone."""
    directory = tmp_path_factory.mktemp("bench")
    chosen = [word for name in MEASURED for word in ("--scenario", name)]
    command = [sys.executable, "-m", "bench", *chosen, "--only", "syncer", "--runs", "1", "--scale", "0.02"]
    subprocess.run([*command, "--out", directory], check=True, cwd=ROOT)
    return directory


@pytest.fixture(scope="module")
def measured(out) -> dict[str, dict]:
    """Scenario -> the corpus, and the one run of syncer."""
    scenarios = json.loads((out / "results.json").read_text())["scenarios"]
    return {each["name"]: {**each["contenders"]["syncer"][0], "corpus": each["corpus"]} for each in scenarios}


@pytest.mark.parametrize("name", MEASURED)
def test_every_tag_is_as_at_the_source(measured, name) -> None:
    run = measured[name]

    assert run["same"] == run["tags"] == 50 * (3 if name == "fan-out" else 1)
    assert (run["spent"]["failed"], run["source"]["failures"], run["target"]["failures"]) == (0, 0, 0)


@pytest.mark.parametrize(("name", "targets"), [("cold", 1), ("fan-out", 3)])
def test_each_distinct_blob_is_read_once_and_sent_once_to_each_target(measured, name, targets) -> None:
    run, corpus = measured[name], measured[name]["corpus"]

    assert run["source"]["blob_bytes_out"] == corpus["distinct_bytes"]
    assert run["source"]["requests"]["GET blob"] == corpus["distinct"]
    assert run["target"]["blob_bytes_in"] == corpus["distinct_bytes"] * targets


@pytest.mark.parametrize(("name", "targets"), [("cold", 1), ("fan-out", 3)])
def test_a_target_is_asked_little_more_than_there_is_to_put(measured, name, targets) -> None:
    """2 requests for a new blob or a tag, 1 for a mount or a manifest; one in fifty more, where images race."""
    asked, corpus = measured[name]["target"]["requests"], measured[name]["corpus"]
    mounts = corpus["placed"] - corpus["distinct"]
    needed = 2 * corpus["distinct"] + mounts + corpus["manifests"] + 2 * corpus["tags"]

    assert sum(asked.values()) <= targets * 1.02 * needed


@pytest.mark.parametrize("name", ["cold", "fan-out"])
def test_each_manifest_is_read_once(measured, name) -> None:
    assert measured[name]["source"]["requests"]["GET manifest"] == measured[name]["corpus"]["manifests"]


def test_an_unchanged_tag_costs_one_head_at_either_end(measured) -> None:
    run = measured["unchanged"]

    assert run["source"]["requests"] == {"tags": 12, "HEAD manifest": 50}
    assert run["target"]["requests"] == {"HEAD manifest": 50}


def test_changed_tags_cost_what_changed(measured) -> None:
    run = measured["changed"]

    assert 0 < run["source"]["blob_bytes_out"] == run["target"]["blob_bytes_in"]
    assert run["source"]["blob_bytes_out"] < run["corpus"]["distinct_bytes"] / 10


def test_results_are_tables_and_a_picture_too(out) -> None:
    text = (out / "results.md").read_text()

    assert [name for name in MEASURED if f"## {name}: " not in text] == []
    assert (out / "results.svg").read_text().startswith("<svg")
