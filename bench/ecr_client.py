"""`syncer sync` at the sandbox's ECR: `python -m bench.ecr_client WORLD.json`.

The command line has no way to say where a played host really is, so this calls what the command calls. State is in
memory.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from syncer.app.parts import Outside
from syncer.app.session import Task, session
from syncer.config.load import load_text
from syncer.credentials.static import StaticKeychain
from syncer.engine.stop import Stop
from syncer.oci.origin import Origin
from syncer.settings.secret import Secret

if TYPE_CHECKING:
    from syncer.report.model import Report


async def sync(world: dict[str, Any]) -> Report:
    """One run over all repositories."""
    file = {
        "version": 1,
        "targets": {"ecr": {"registry": world["target"]}},
        "images": [{"source": f"{world['source']}/{name}", "tags": ["*"]} for name in world["repositories"]],
    }
    settings = load_text(json.dumps(file), "mirrors.yaml", {}, Path())
    outside = Outside(
        environ={},
        dial={Origin.parse(played): Origin.parse(real) for played, real in world["dial"].items()},
        docker=StaticKeychain({}),
        aws_keys=("AKIABENCHBENCHBENCH0", Secret("bench")),
    )
    async with session(settings, outside, Task("sync")) as run:
        return await run.carry_out(await run.plan(), Stop())


def main() -> int:
    """Print how many images ended how."""
    report = asyncio.run(sync(json.loads(Path(sys.argv[1]).read_text("utf-8"))))
    statuses = [outcome.status.value for outcome in report.outcomes]
    print(json.dumps({status: statuses.count(status) for status in sorted(set(statuses))}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
