"""`python -m bench`: measure, and write results.md, results.json and results.svg."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import chart, report, rig
from bench.measure import Bench
from bench.peers import CONTENDERS, OURS
from bench.scenarios import SCENARIOS
from bench.stock import Stock


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure syncer beside its peers.")
    names = [each.name for each in SCENARIOS]
    parser.add_argument("--scenario", action="append", choices=names, metavar="NAME", help=f"one of {', '.join(names)}")
    parser.add_argument("--only", action="append", metavar="NAME", help="this contender; syncer is always measured")
    parser.add_argument("--runs", type=int, default=3, help="rounds of each scenario (default: 3)")
    parser.add_argument("--scale", type=float, default=1.0, help="sizes of layers, times this (default: 1)")
    parser.add_argument("--out", type=Path, default=Path("build/bench"), help="where results go (default: build/bench)")
    parser.add_argument("--work", type=Path, help="where corpora lie and stay (default: in memory, for this session)")
    return parser.parse_args()


def measured(asked: argparse.Namespace, work: Path) -> None:
    """Measure all scenarios; results are written after each of them."""
    chosen = [each for each in SCENARIOS if (each.name in asked.scenario if asked.scenario else each.usual)]
    contenders = [each for each in CONTENDERS if not asked.only or each.name in {*asked.only, *OURS}]
    certificates = rig.Certificates.make(work / "certificates")
    bench = Bench(work, Stock(work / "corpora", asked.scale), certificates, contenders, asked.runs)
    asked.out.mkdir(parents=True, exist_ok=True)
    tables = []
    for scenario in chosen:
        tables.append(bench.measure(scenario))
        (asked.out / "results.md").write_text(report.markdown(tables), "utf-8")
        (asked.out / "results.json").write_text(json.dumps(report.document(tables), indent=1), "utf-8")
        (asked.out / "results.svg").write_text(chart.svg(tables), "utf-8")


def main() -> int:
    """Measure what the command line asks for."""
    asked = arguments()
    if shutil.which("docker-registry") is None:
        print("docker-registry is not on PATH; Debian's package of that name has it", file=sys.stderr)
        return 1
    subprocess.run([sys.executable, "-m", "syncer", "version"], check=True, stdout=subprocess.DEVNULL, cwd=rig.ROOT)
    space = rig.workspace(asked.work)
    try:
        measured(asked, Path(space.name) if isinstance(space, TemporaryDirectory) else space)
    finally:
        if isinstance(space, TemporaryDirectory):
            space.cleanup()
    print(f"see {asked.out / 'results.md'}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
