"""The corpora as a registry stores them: loaded once, and copied or read by every scenario."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from bench import corpus, rig
from bench.loading import Loader

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from bench.corpus import Images

CORPORA: dict[str, Callable[[float], Images]] = {
    "small": corpus.small,
    "256m": lambda scale: corpus.one_layer(int(256e6 * scale)),
    "1g": lambda scale: corpus.one_layer(int(1e9 * scale)),
    "4g": lambda scale: corpus.one_layer(int((4 << 30) * scale)),
}


@dataclass(frozen=True, slots=True)
class Stored:
    """A corpus in a directory that a registry can serve."""

    storage: Path
    images: Mapping[str, tuple[str, ...]]  # repository -> tags
    census: corpus.Census


class Stock:
    """Corpora at one scale, in one directory."""

    def __init__(self, directory: Path, scale: float) -> None:
        self._directory, self._scale = directory, scale

    def get(self, name: str) -> Stored:
        """The corpus of that name, made if it is not there."""
        place = self._directory / f"{name}-{self._scale:g}"
        told = place / "corpus.json"
        if not told.is_file():
            shutil.rmtree(place, ignore_errors=True)
            images = CORPORA[name](self._scale)
            rig.load(place / "storage", images)
            listed = {repository: list(tags) for repository, tags in images.items()}
            told.write_text(json.dumps({"images": listed, "census": asdict(corpus.census(images))}), "utf-8")
        said = json.loads(told.read_text("utf-8"))
        tags = {repository: tuple(tags) for repository, tags in said["images"].items()}
        return Stored(place / "storage", tags, corpus.Census(**said["census"]))

    def change(self, host: str, number: int) -> None:
        """Let three tags of the small corpus mean something else at the registry at `host`."""
        Loader(host).load(corpus.changes(number, self._scale))
