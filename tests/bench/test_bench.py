"""`python -m bench` as a whole, on a corpus of a fiftieth of the size."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_scenario_is_measured_and_written_down(tmp_path) -> None:
    """Three changed tags cost their new layers and no others, and every tag is as at the source."""
    command = [sys.executable, "-m", "bench", "--scenario", "changed", "--only", "syncer", "--runs", "1"]
    subprocess.run([*command, "--scale", "0.02", "--out", tmp_path, "--work", tmp_path / "work"], check=True, cwd=ROOT)

    (scenario,) = json.loads((tmp_path / "results.json").read_text())["scenarios"]
    (sample,) = scenario["contenders"]["syncer"]
    moved = sample["source"]["blob_bytes_out"]
    assert sample["same"] == sample["tags"] == 50
    assert 0 < moved == sample["target"]["blob_bytes_in"] < scenario["corpus"]["distinct_bytes"] / 10
    assert "## changed" in (tmp_path / "results.md").read_text()
    assert (tmp_path / "results.svg").read_text().startswith("<svg")
