"""Mutants of the safety core: small changes of the code, of which each must make a test fail.

`make mutants` has mutmut make them, one at a time, in a copy (`mutants/`), and run the tests that reach the changed
function. Which modules it may change and which tests it runs stands in pyproject.toml under [tool.mutmut]; of the two
modules that only partly belong to the core, the functions are named here. docs/mutants.md explains what survives.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections import Counter, defaultdict
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parent.parent
MUTMUT = Path(sys.executable).with_name("mutmut")
FLOOR = 0.95  # of all mutants are to be caught
CORE = (
    "syncer.content.verify.*",
    "syncer.registry.addresses.*",
    "syncer.registry.auth.*",
    "syncer.registry.redirects.*",
    "syncer.registry.tokens.*",
    "syncer.report.exit_code.*",
    "syncer.report.verdict.*",
    "syncer.transfer.delivery.*",
    "syncer.registry.connections.*session_*",
    "syncer.registry.wire.*_is_guarded_*",
    "syncer.registry.wire.*_refuse_private_text_*",
)
CAUGHT = ("killed", "timeout")  # a timeout: the tests hang, and fail when their time is up


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", default="2", help="mutants that are tried at the same time")
    parser.add_argument("names", nargs="*", default=CORE, help="globs of mutants' names; all of the core if none")
    options = parser.parse_args()
    subprocess.run([MUTMUT, "run", "--max-children", options.jobs, *options.names], cwd=ROOT, check=True)
    results = {name: status for name, status in _results() if any(fnmatch(name, glob) for glob in options.names)}
    by_module: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for name, status in results.items():
        by_module[name.partition(".x")[0]][status] += 1
    for module, found in by_module.items():
        print(f"{module}: {_caught(found)} of {found.total()} caught", *_rest(found), sep=", ")
    print(*(f"{name}: {status}" for name, status in results.items() if status not in CAUGHT), sep="\n")
    share = _caught(Counter(results.values())) / len(results)
    print(f"{len(results)} mutants of the safety core, {share:.1%} caught; `mutmut show NAME` shows one")
    return 0 if share >= FLOOR else 1


def _results() -> list[tuple[str, str]]:
    """The name of every mutant, and what became of it."""
    ran = subprocess.run(
        [MUTMUT, "results", "--all", "true"], cwd=ROOT, check=True, text=True, encoding="utf-8", stdout=subprocess.PIPE
    )
    pairs = (line.strip().partition(": ") for line in ran.stdout.splitlines())
    return [(name, status) for name, separator, status in pairs if separator]


def _caught(found: Counter[str]) -> int:
    return sum(found[status] for status in CAUGHT)


def _rest(found: Counter[str]) -> list[str]:
    return [f"{number} {status}" for status, number in sorted(found.items()) if status != "killed"]


if __name__ == "__main__":
    sys.exit(main())
