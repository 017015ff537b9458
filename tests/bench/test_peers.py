"""Every contender is told to do the whole job, and one that is not here is not measured."""

import json
import sys
from pathlib import Path

import pytest

from bench import peers, report
from bench.corpus import Census
from bench.counts import Traffic
from bench.figures import verdicts
from bench.measure import Result, Sample, Table
from bench.process import Recipe, Spent, run
from bench.scenarios import SCENARIOS
from syncer.config.load import load

HERE = "127.0.0.1"
MANY = peers.Job(f"{HERE}:1", (f"{HERE}:2", f"{HERE}:3"), {"apps/api": ("1", "2"), "library/debian": ("12",)})
ONE = peers.Job(f"{HERE}:1", (f"{HERE}:2",), {"big/one": ("v1",)}, mirrors=(f"{HERE}:4", f"{HERE}:5"))
CENSUS = Census(1, 1, 1, 1, 1000, 1, 1000)


def told(recipe: Recipe, home: Path) -> str:
    """All that a recipe says, on command lines and in files."""
    return " ".join(
        [*(" ".join(command) for command in recipe.commands), *(path.read_text() for path in home.iterdir())]
    )


@pytest.mark.parametrize("contender", peers.CONTENDERS, ids=lambda each: each.name)
@pytest.mark.parametrize("job", [MANY, ONE], ids=["many", "one"])
def test_every_contender_is_told_all_repositories_and_all_targets(contender, job, tmp_path) -> None:
    job = ONE if contender.one_image else job
    text = told(contender.recipe(job, tmp_path), tmp_path)

    assert [name for name in (job.source, *job.targets, *job.images) if name not in text] == []


@pytest.mark.parametrize("job", [MANY, ONE], ids=["many", "one"])
def test_syncers_file_is_one_that_loads(job, tmp_path) -> None:
    peers.syncer(job, tmp_path)
    settings = load(tmp_path / "mirrors.yaml", {})

    assert len(settings.rules) == len(job.images)
    assert len(settings.targets) == len(job.targets)
    assert sum(len(each.mirrors) for each in settings.registries.values()) == len(job.mirrors)


def sample(seconds: float, cpu: float = 1.0) -> Sample:
    return Sample(Spent(seconds, cpu, 1 << 20, 0, ""), Traffic(blob_bytes_out=1000), Traffic(), 1, 1)


def table(name: str, *results: Result) -> Table:
    return Table(next(each for each in SCENARIOS if each.name == name), CENSUS, list(results))


def test_who_is_not_here_has_no_figure_and_no_ratio() -> None:
    measured = table("cold", Result("syncer", [sample(1)]), Result("crane"))
    lines = [line for line in report.markdown([measured]).splitlines() if line.startswith("| crane")]

    assert [[cell for cell in line.strip("|").split("|") if cell.strip()] for line in lines] == [
        [" crane ", " not measured "]
    ]


def test_ratios_are_of_medians() -> None:
    ours, theirs = Result("syncer", [sample(2), sample(1), sample(9)]), Result("skopeo", [sample(4), sample(50)])
    found = {each.says: each for each in verdicts({"cold": table("cold", ours, theirs)})}

    assert found["cold: time ÷ skopeo"].value == pytest.approx(2 / 27)
    assert found["cold: time ÷ skopeo"].word == "reached"
    assert found["fan-out: time ÷ best peer"].word == "not measured"


def test_all_samples_are_in_the_json() -> None:
    measured = table("cold", Result("syncer", [sample(1), sample(2)]))
    read = json.loads(json.dumps(report.document([measured])))

    assert [each["spent"]["seconds"] for each in read["scenarios"][0]["contenders"]["syncer"]] == [1, 2]


def test_a_run_is_timed_with_its_children_and_its_failures(tmp_path) -> None:
    burn = f"{sys.executable} -c 'import time\nwhile time.process_time() < 0.3: pass'; exit 0"
    spent = run(Recipe([["sh", "-c", burn], ["sh", "-c", "echo no >&2; exit 3"]], at_once=2), tmp_path)

    assert spent.seconds > spent.cpu * 0.5
    assert spent.cpu >= 0.3
    assert (spent.failed, spent.said.strip()) == (1, "no")
    assert spent.peak > 1 << 19
