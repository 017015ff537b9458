"""`images:` and `defaults:` → rules."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from syncer.config import models, tree
from syncer.config.check import as_written
from syncer.config.problems import guess, quoted
from syncer.config.values import is_glob
from syncer.oci.names import Tag
from syncer.settings.rules import Platforms, Rule, TagChoice
from syncer.settings.terms import Terms

if TYPE_CHECKING:
    from syncer.config.check import Reading
    from syncer.config.tree import Node
    from syncer.config.values import Template
    from syncer.oci.names import RepositoryName
    from syncer.oci.reference import Reference

_LATEST = Tag("latest")


@dataclass(frozen=True, slots=True)
class Placed:
    """A rule and the node that it was read from."""

    rule: Rule
    node: Node


def defaults_of(reading: Reading, root: Node) -> models.Defaults | None:
    """What the file says of all images; None if that has a mistake."""
    place = tree.child(root, "defaults")
    if place is None:
        return models.Defaults()
    _check_targets(reading, place, tuple(tree.entries(root, "targets")))
    return reading.checked(models.Defaults, place)


def rules(reading: Reading, root: Node, defaults: models.Defaults | None) -> list[Placed]:
    """Every rule of the file that has no mistake of its own."""
    names = tuple(tree.entries(root, "targets"))
    maker = _Maker(reading, names, defaults or models.Defaults(), defaults is not None)
    images = tree.child(root, "images")
    made = [maker.rule(node) for node in images.items] if isinstance(images, tree.Items) else []
    return [placed for placed in made if placed]


@dataclass(frozen=True, slots=True)
class _Maker:
    reading: Reading
    names: tuple[str, ...]
    defaults: models.Defaults
    whole: bool  # whether the defaults are as they were meant

    def rule(self, node: Node) -> Placed | None:
        """The rule at `node`, or None with the reasons noted."""
        model = self.reading.checked(models.Image, node)
        if model is None:
            return None
        before = len(self.reading.problems)
        choice = self._choice(model, node)
        repository = self._repository(model, node)
        targets = self._targets(model, node)
        rename = self._rename(model.target, model.source, choice, node)
        borrowed = model.target is None or model.targets is None
        if repository is None or len(self.reading.problems) > before or (borrowed and not self.whole):
            return None
        platforms = model.platforms or self.defaults.platforms
        referrers = self.defaults.referrers if model.referrers is None else model.referrers
        rule = Rule(
            _pinned(model.source),
            choice,
            repository,
            rename,
            targets,
            _platforms(platforms),
            referrers,
            self._terms(model),
            node.at.line,
        )
        return Placed(rule, node)

    def _terms(self, model: models.Image) -> Terms:
        """Those of the image over those of the file."""
        said = {**_terms_of(self.defaults), **_terms_of(model)}
        return replace(Terms(), **said)

    def _choice(self, model: models.Image, node: Node) -> TagChoice:
        source = model.source
        if model.tags is not None and (source.tag or source.digest):
            what = "digest" if source.digest else "tag"
            message = f"`source` already names a {what}; leave `tags` out, or the {what}"
            self._note("E105", message, tree.key_spot(node, ["tags"]))
        if source.digest:
            return TagChoice()
        if model.tags is None:
            return TagChoice(exact=(source.tag or _LATEST,))
        self._refuse_twice(model.tags, tree.items(node, "tags"))
        exact = tuple(Tag(text) for text in model.tags if not is_glob(text))
        return TagChoice(exact, tuple(text for text in model.tags if is_glob(text)))

    def _refuse_twice(self, texts: list[str], nodes: tuple[Node, ...]) -> None:
        for index, (text, node) in enumerate(zip(texts, nodes, strict=True)):
            if text in texts[:index]:
                self._note("E105", f"{as_written(node)} stands in the list twice", node.at)

    def _repository(self, model: models.Image, node: Node) -> RepositoryName | None:
        """The template, filled in. That it is a template is checked; that it yields a name depends on the source."""
        template = model.target or self.defaults.target
        try:
            return template.fill(model.source)
        except ValueError as exc:
            place = tree.find(node, ["target" if model.target else "source"])
            self._note(
                "E112", f"the target template {quoted(template.repository)} yields no repository: {exc}", place.at
            )
            return None

    def _targets(self, model: models.Image, node: Node) -> tuple[str, ...]:
        if model.targets is not None:
            _check_targets(self.reading, node, self.names)
            return tuple(model.targets)
        if self.defaults.targets is not None:
            return tuple(self.defaults.targets)
        if len(self.names) > 1 and self.whole:
            message = 'the key "targets" is missing, here and in `defaults`; there are several to choose from'
            self._note("E103", message, node.at)
        return self.names

    def _rename(self, template: Template | None, source: Reference, choice: TagChoice, node: Node) -> Tag | None:
        tag = template.tag if template else None
        if source.digest:
            if not (tag or source.tag):
                message = (
                    "a digest needs a tag at the target, as in `base/busybox:pinned`: ECR may expire untagged images"
                )
                self._note("E103", message, tree.find(node, ["target"]).at)
            return tag or source.tag
        if tag and (choice.globs or len(choice.exact) != 1):
            message = "`target` names one tag, so the rule must select exactly one tag and no pattern"
            self._note("E105", message, tree.find(node, ["target"]).at)
        return None if choice.exact == (tag,) else tag

    def _note(self, code: str, message: str, at: tree.Spot) -> None:
        self.reading.problems.add(code, message, at)


def _check_targets(reading: Reading, node: Node, names: tuple[str, ...]) -> None:
    seen: set[str] = set()
    for place in tree.items(node, "targets"):
        if not isinstance(place, tree.Text):
            continue
        if names and place.value not in names:
            offer = guess(place.value, names) if place.raw == place.value else ""
            reading.problems.add("E111", f"unknown target {as_written(place)}{offer}", place.at)
        if place.value in seen:
            reading.problems.add("E105", f"{as_written(place)} stands in the list twice", place.at)
        seen.add(place.value)


def _terms_of(model: models.Terms) -> dict[str, Any]:
    return {name: value for name in models.Terms.model_fields if (value := getattr(model, name)) is not None}


def _pinned(source: Reference) -> Reference:
    """A digest alone: the tag beside it is not asked for."""
    return replace(source, tag=None) if source.digest else source


def _platforms(model: models.Platforms | None) -> Platforms | None:
    return Platforms(tuple(model.only), model.rewrite) if model and model.only else None
