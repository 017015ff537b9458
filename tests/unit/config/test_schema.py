"""The JSON Schema says what the loader says, in an editor."""

import json
import re
from pathlib import Path

import jsonschema
import pytest
import trustme
import yaml

from syncer.config.load import load_text
from syncer.config.models import Document
from syncer.config.schema import json_schema

ROOT = Path(__file__).parents[3]
DOCS = (ROOT / "docs" / "mirrors-yaml.md").read_text("utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", DOCS, re.DOTALL)
GOOD = """
version: 1
x-any: {thing: [1, 2]}
registries: {docker.io: {mirrors: https://m.example, limits: {in_flight: "${N:-4}"}, keep_for: 0}}
targets: {local: {registry: localhost:5001}}
defaults: {targets: local, platforms: [linux/amd64], referrers: yes}
images:
  - {source: nginx, tags: [1.10, 2, true, latest]}
  - {source: redis, tags: 7, targets: [local], platforms: {only: linux/amd64, rewrite: never}}
"""


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_the_schema_in_docs_is_that_of_the_code() -> None:
    assert json.loads((ROOT / "docs" / "mirrors.schema.json").read_text("utf-8")) == json_schema(), (
        "run `syncer schema > docs/mirrors.schema.json`"
    )


def test_an_editor_accepts_what_the_loader_accepts(validator) -> None:
    assert list(validator.iter_errors(yaml.safe_load(GOOD))) == []
    assert load_text(GOOD, "m", {}, ROOT).rules[0].tags.exact[0].value == "1.10"


def test_the_project_s_own_file_is_valid(validator) -> None:
    assert list(validator.iter_errors(yaml.safe_load((ROOT / "mirrors.yaml").read_text("utf-8")))) == []


@pytest.mark.parametrize("example", [text for text in EXAMPLES if text.startswith(("version:", "# yaml-language"))])
def test_whole_examples_in_the_docs_load_and_are_valid(validator, example, tmp_path) -> None:
    for name in re.findall(r"\w+/\w+\.pem|secrets/\w+", example):
        (tmp_path / name).parent.mkdir()
        trustme.CA().cert_pem.write_to_path(tmp_path / name)

    load_text(example, "docs", {}, tmp_path)
    assert list(validator.iter_errors(yaml.safe_load(example))) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("source: nginx", "sorce: nginx"),
        ("version: 1", "version: 2"),
        ("images:", "image:"),
        ("registry: localhost:5001", "profile: x"),
        ("mirrors: https://m.example", "mirrors: [{trust: tags}]"),
        ("[1.10, 2, true, latest]", "{semver: 1}"),
        ("[1.10, 2, true, latest]", "[]"),
        ("[1.10, 2, true, latest]", "~"),
        ("rewrite: never", "rewrite: maybe"),
        ("referrers: yes", "referrers: maybe"),
        ('"${N:-4}"', "many"),
        ('"${N:-4}"', "0"),
        ("{thing: [1, 2]}", "{}\nother: 1"),
    ],
)
def test_an_editor_sees_mistakes(validator, old, new) -> None:
    assert GOOD.count(old) == 1

    assert list(validator.iter_errors(yaml.safe_load(GOOD.replace(old, new))))


def models(schema: dict) -> list[dict]:
    return [schema, *(each for each in schema["$defs"].values() if each["type"] == "object")]


def test_every_key_is_described_in_the_schema_and_in_the_docs() -> None:
    keys = {key: each for model in models(json_schema()) for key, each in model["properties"].items()}

    assert {"source", "kms_key", "token_realms"} <= set(keys)
    assert [key for key, each in keys.items() if not each.get("description")] == []
    assert [key for key in keys if f"`{key}`" not in DOCS] == []
    assert set(Document.model_fields) <= set(keys)
