"""`syncer demo` plays any mirrors.yaml, and what it prints is worth reading."""

import time

import pytest

ECR = "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn"
HEAD = (
    f"version: 1\ntargets: {{a: {{registry: {ECR}}}, b: {{registry: localhost:5000}}}}\ndefaults: {{targets: [a, b]}}\n"
)
MIRROR = "registries: {docker.io: {mirrors: [https://m.daocloud.io/docker.io]}}\n"
FILES = {
    "no mirrors": HEAD + "images: [{source: 'nginx:1.27'}]",
    "one mirror": HEAD + MIRROR + "images: [{source: 'nginx:1.27'}, {source: redis, tags: ['7', '6']}]",
    "no Docker Hub": HEAD + "images: [{source: 'quay.io/a/b:1', referrers: true, platforms: [linux/arm/v7]}]",
    "immutable": HEAD.replace("cn}", "cn, repositories: {tag_mutability: IMMUTABLE, create: false}}")
    + MIRROR
    + "images: [{source: 'nginx:1.27'}]",
}


@pytest.mark.parametrize("name", FILES)
async def test_the_demo_plays_any_file(shell, name):
    shell.write(FILES[name])

    began = time.monotonic()
    ran = await shell.run("demo", "-c", "mirrors.yaml")

    assert (ran.code, ran.err) == (0, "")
    assert [line[:2] for line in ran.out.splitlines() if line[:1].isdigit() and line[1] == "."] == [
        f"{number}." for number in range(1, 6)
    ]
    assert "image failed" not in ran.out
    assert time.monotonic() - began < 15


async def test_the_demo_shows_what_it_promises(shell):
    """The project's own file: a first run, one that moves nothing, a liar, an origin out of reach, a deep look."""
    ran = await shell.run("demo")

    assert ran.code == 0
    scenes = ran.out.split("\n\n")
    assert "verified; " in scenes[1]
    assert "0 PUT, POST or PATCH requests to any registry" in scenes[2]
    assert "at fault: your-id.mirror.aliyuncs.com sent other bytes than sha256:" in scenes[3]
    assert "by agreement; " in scenes[4]
    assert "verify: " in scenes[5]
    assert all(scene.rstrip().splitlines()[-1].endswith("exit 0") for scene in (scenes[3], scenes[4], scenes[5]))


async def test_the_demo_as_json_is_one_document_with_every_report(shell):
    shell.write(FILES["one mirror"])

    ran = await shell.run("demo", "-c", "mirrors.yaml", "-o", "json")

    assert list(ran.document) == ["schema_version", "exit_code", "scenes"]
    assert len(ran.document["scenes"]) == 5
    assert ran.document["scenes"][0]["reports"][0]["totals"]["copied"] == 6
    assert ran.err.startswith("mirrors.yaml: 2 rules, 3 images, mirrored to")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HEAD + "images: [{source: nginx, tags: ['1.*']}]", "names no exact tag"),
        ("version: 1\n", 'the key "targets" is missing'),
    ],
)
async def test_a_file_that_cannot_be_played_is_refused(shell, text, words):
    shell.write(text)

    ran = await shell.run("demo", "-c", "mirrors.yaml")

    assert ran.code == 2
    assert words in ran.err
