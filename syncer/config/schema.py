"""The JSON Schema of mirrors.yaml, for editors: completion, descriptions, and red lines under mistakes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic.json_schema import GenerateJsonSchema

from syncer.config.models import Document

if TYPE_CHECKING:
    from pydantic_core import core_schema

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_ALSO = {  # an editor reads YAML with its types: 1.10 is a number to it, and "8" is text
    "string": ["string", "number", "boolean"],
    "integer": ["integer", "string"],
    "number": ["number", "string"],
    "boolean": ["boolean", "string"],
}
_PATTERNS = {  # so that text in their place is a number or a variable after all
    "integer": r"^[0-9]+$|\$\{",
    "number": r"^[0-9.]+$|\$\{",
    "boolean": r"^([Tt]rue|TRUE|[Ff]alse|FALSE|[Yy]es|YES|[Nn]o|NO|[Oo]n|ON|[Oo]ff|OFF)$|\$\{",
}
_NULL = {"type": "null"}  # a key without a value is a mistake, also where the key may be left out


class _WithoutDefaults(GenerateJsonSchema):
    """Descriptions tell the defaults; some are values of ours that have no JSON."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> dict[str, Any]:
        return self.generate_inner(schema["schema"])


def json_schema() -> dict[str, Any]:
    """The schema of the file as an editor's YAML parser shows it."""
    made = _loosened(Document.model_json_schema(schema_generator=_WithoutDefaults))
    definitions = {name: _loosened(each) for name, each in sorted(made.pop("$defs").items())}
    keys = made["properties"]
    keys["version"] = {"description": keys["version"]["description"], "enum": [1, "1"]}
    keys["images"] = keys["images"]["anyOf"][0] | {"description": keys["images"]["description"]}  # always a list
    made["patternProperties"] = {"^x-": {"description": "yours: a place for anchors; syncer does not read it"}}
    return {"$schema": _DIALECT, "title": "mirrors.yaml of syncer", **made, "$defs": definitions}


def _loosened(schema: dict[str, Any]) -> dict[str, Any]:
    """`schema` with every type widened to what the text of the file may look like."""
    loose = {key: value for key, value in schema.items() if key != "title"}
    if "properties" in loose:
        loose["properties"] = {name: _loosened(each) for name, each in loose["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(loose.get(key), dict):
            loose[key] = _loosened(loose[key])
    if "anyOf" in loose:
        return _choice(loose)
    if loose.get("type") == "array":
        return _list_or_one(loose)
    kind = loose.get("type")
    if "enum" in loose or kind not in _ALSO:
        return loose
    pattern = {"pattern": _PATTERNS[kind]} if kind in _PATTERNS else {}
    return loose | {"type": _ALSO[kind]} | pattern


def _choice(loose: dict[str, Any]) -> dict[str, Any]:
    """Without null; what is left alone needs no choice."""
    branches = [_loosened(each) for each in loose.pop("anyOf") if each != _NULL]
    return branches[0] | loose if len(branches) == 1 else {"anyOf": branches} | loose


def _list_or_one(loose: dict[str, Any]) -> dict[str, Any]:
    """A list, or its one item."""
    told = {"description": loose.pop("description")} if "description" in loose else {}
    return {"anyOf": [loose | {"minItems": 1}, loose["items"]]} | told
