"""Manifests on their way into a registry that fails after the work is done, or guards its tags."""

from __future__ import annotations

import pytest
from builders import image

from syncer.errors import LandedDiffers, ManifestRefused, RepositoryMissing, ServerError, TagImmutable, TooManyRequests
from syncer.oci.names import Tag
from syncer.oci.rewrite import fallback_tag, referrers_index
from syncer.sandbox import actions
from syncer.sandbox.answers import refusal

V1 = Tag("v1")
APP, OTHER = image(b"layer"), image(b"other")


def answering(status, code, words=""):
    async def act(_request, _proceed):
        return refusal(status, code, words)

    return act


async def test_a_tag_costs_one_request(at):
    await at.push(APP)

    await at.app.put_manifest(APP.root, V1)

    assert at.requests == ["PUT manifests"]


async def stored_but_500(request, proceed):
    await proceed(request)
    return refusal(500, "UNKNOWN", "internal error")


@pytest.mark.parametrize("action", [stored_but_500, actions.lose_answer()], ids=["500", "reset"])
@pytest.mark.parametrize("tag", [V1, None], ids=["tag", "digest"])
async def test_what_was_stored_although_the_put_failed_is_success(at, action, tag):
    await at.push(OTHER, "v1")
    await at.push(APP)
    at.fault(action, "PUT", "manifests")

    await at.app.put_manifest(APP.root, tag)

    assert at.requests == ["PUT manifests", "HEAD manifests"]


async def test_a_registry_that_stores_it_as_something_else_is_not_believed(at):
    await at.push(APP)
    at.fault(actions.reply(201, b"", {"Docker-Content-Digest": str(OTHER.digest)}), "PUT", "manifests")

    with pytest.raises(LandedDiffers, match=f"as {OTHER.digest}"):
        await at.app.put_manifest(APP.root, V1)


async def test_what_was_not_stored_is_a_failure(at):
    await at.push(APP)
    at.fault(actions.reply(500), "PUT", "manifests")

    with pytest.raises(ServerError):
        await at.app.put_manifest(APP.root, V1)


IMMUTABLE = [
    (400, "TAG_INVALID", "The image tag 'v1' already exists and cannot be overwritten: the repository is immutable."),
    (400, "TAG_INVALID", "because the tag is immutable"),
    (409, "CONFLICT", "tag is immutable"),
    (412, "PRECONDITION", "configured as immutable, cannot be updated"),
]


@pytest.mark.parametrize("answer", IMMUTABLE, ids=lambda answer: f"{answer[0]} {answer[1]}")
async def test_an_immutable_tag_with_the_same_digest_is_success(at, answer):
    await at.push(APP, "v1")
    at.fault(answering(*answer), "PUT", "manifests")

    await at.app.put_manifest(APP.root, V1)

    assert await at.app.current([V1]) == {V1: APP.digest}


@pytest.mark.parametrize("answer", IMMUTABLE, ids=lambda answer: f"{answer[0]} {answer[1]}")
async def test_an_immutable_tag_with_another_digest_is_a_conflict_that_names_both(at, answer):
    await at.push(OTHER, "v1")
    await at.push(APP)
    at.fault(answering(*answer), "PUT", "manifests")

    with pytest.raises(TagImmutable) as raised:
        await at.app.put_manifest(APP.root, V1)

    assert raised.value.blocked
    assert all(str(digest) in str(raised.value) for digest in (APP.digest, OTHER.digest))


@pytest.mark.parametrize("status", [400, 404])
@pytest.mark.parametrize("code", ["MANIFEST_BLOB_UNKNOWN", "BLOB_UPLOAD_UNKNOWN", "BLOB_UNKNOWN"])
async def test_missing_content_is_told_by_its_code_whatever_the_status(at, status, code):
    await at.push(APP)
    at.fault(answering(status, code, "layers do not exist"), "PUT", "manifests")

    with pytest.raises(ManifestRefused, match="layers do not exist"):
        await at.app.put_manifest(APP.root, V1)


async def test_a_missing_repository_is_told_from_missing_content(at):
    at.fault(answering(404, "NAME_UNKNOWN", "The repository does not exist"), "PUT", "manifests")

    with pytest.raises(RepositoryMissing):
        await at.app.put_manifest(APP.root, V1)


async def test_who_is_asked_to_slow_down_does_not_look_around(at):
    await at.push(APP)
    at.fault(actions.too_many(), "PUT", "manifests")

    with pytest.raises(TooManyRequests):
        await at.app.put_manifest(APP.root, V1)

    assert at.requests == ["PUT manifests"]


SUBJECT = image(b"subject")
FIRST, SECOND = (image(kind, artifact_type="application/vnd.sig", subject=SUBJECT) for kind in (b"first", b"second"))


def without_api(at):
    """A registry from before the referrers API."""
    at.fault(actions.reply(404), "GET", "/referrers/")
    at.fault(actions.headers({"OCI-Subject": None}), "PUT", "manifests")


async def test_a_registry_that_takes_note_of_subjects_needs_no_tag(at):
    await at.push(SUBJECT)
    await at.push(FIRST)

    assert await at.app.tags() == []
    assert [d.digest for d in await at.app.referrers(SUBJECT.digest)] == [FIRST.digest]


async def test_elsewhere_the_fallback_tag_lists_all_referrers(at):
    without_api(at)
    for what in (SUBJECT, FIRST, SECOND):
        await at.push(what)

    assert await at.app.tags() == [fallback_tag(SUBJECT.digest)]
    listed = {d.digest: d.artifact_type for d in await at.app.referrers(SUBJECT.digest)}
    assert listed == {each.digest: "application/vnd.sig" for each in (FIRST, SECOND)}


async def test_a_referrer_with_a_type_that_is_none_is_listed_without(at):
    without_api(at)
    odd = image(b"odd", artifact_type="\x1b[31m no type", subject=SUBJECT)
    await at.push(SUBJECT)

    await at.push(odd)

    assert [(d.digest, d.artifact_type) for d in await at.app.referrers(SUBJECT.digest)] == [(odd.digest, None)]


async def test_entries_that_others_made_stay(at):
    without_api(at)
    await at.push(SUBJECT)
    foreign = referrers_index([OTHER.root.descriptor])
    await at.push(OTHER)
    await at.app.put_manifest(foreign, fallback_tag(SUBJECT.digest))

    await at.push(FIRST)

    assert {d.digest for d in await at.app.referrers(SUBJECT.digest)} == {OTHER.digest, FIRST.digest}


async def test_a_referrer_that_is_listed_already_costs_no_put(at):
    without_api(at)
    await at.push(SUBJECT)
    await at.push(FIRST)

    await at.app.put_manifest(FIRST.root)

    assert at.requests == ["PUT manifests", "GET manifests"]


async def test_an_image_under_the_fallback_tag_is_no_list(at):
    """GitLab answers the fallback tag with the subject itself."""
    without_api(at)
    await at.push(SUBJECT, str(fallback_tag(SUBJECT.digest)))

    assert await at.app.referrers(SUBJECT.digest) == []

    await at.push(FIRST)
    assert [d.digest for d in await at.app.referrers(SUBJECT.digest)] == [FIRST.digest]


async def test_an_api_that_answers_no_index_is_none(at):
    at.fault(actions.html(), "GET", "/referrers/")

    assert await at.app.referrers(SUBJECT.digest) == []
