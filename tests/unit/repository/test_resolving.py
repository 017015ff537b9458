"""Law 2's rules as pure functions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.errors import (
    CorruptContent,
    Denied,
    MalformedManifest,
    NoHonestSource,
    NotFound,
    ServerError,
    TimedOut,
    TlsFailed,
    TokenServiceFailed,
    TooManyRequests,
    Unauthorized,
    Unreachable,
)
from syncer.oci.descriptor import Descriptor
from syncer.oci.digest import Digest
from syncer.registry.resolving import Answer, agreed, is_final, is_out_of_reach, most_telling, unresolved

A, B, C = (Descriptor("application/json", Digest.of(name), 1) for name in (b"a", b"b", b"c"))


def answers(*said):
    return [Answer(f"host{n}", operator, d, None if d else NotFound("no")) for n, (operator, d) in enumerate(said)]


@pytest.mark.parametrize(
    ("said", "result"),
    [
        ((), None),
        ((("x", A),), None),
        ((("x", A), ("x", A)), None),
        ((("x", A), ("y", A)), A),
        ((("x", A), ("y", None), ("z", A)), A),
        ((("x", A), ("y", B)), None),
        ((("x", A), ("y", B), ("z", A)), A),
        ((("x", A), ("y", A), ("z", B), ("w", B)), None),
        ((("x", A), ("x", B), ("y", A)), None),
        ((("x", A), ("x", B), ("y", A), ("z", A)), A),
    ],
)
def test_two_operators_that_agree_settle_it_unless_two_others_do(said, result):
    assert agreed(answers(*said)) == result


@given(st.lists(st.tuples(st.sampled_from("xyz"), st.sampled_from([A, B, C, None]))))
def test_nothing_is_settled_that_fewer_than_two_operators_say(said):
    settled = agreed(answers(*said))

    assert settled is None or len({operator for operator, d in said if d == settled}) >= 2


@given(st.lists(st.tuples(st.sampled_from("wxyz"), st.sampled_from([A, B, None]))), st.randoms())
def test_the_order_of_the_mirrors_does_not_matter(said, random):
    shuffled = random.sample(said, len(said))

    assert agreed(answers(*said)) == agreed(answers(*shuffled))


@pytest.mark.parametrize("kind", [NotFound, Unauthorized, MalformedManifest, CorruptContent])
def test_the_origin_s_own_word_is_final(kind):
    assert is_final(kind("no"))


@pytest.mark.parametrize(
    "kind", [Denied, Unreachable, TimedOut, ServerError, TooManyRequests, TlsFailed, TokenServiceFailed]
)
def test_what_only_keeps_us_from_the_origin_is_not(kind):
    assert not is_final(kind("no"))


@pytest.mark.parametrize(
    ("error", "answered", "shut", "result"),
    [
        (Unreachable("x"), False, False, True),
        (Unreachable("x"), True, False, False),
        (ServerError("x"), True, True, True),
        (TlsFailed("x"), True, False, True),
        (Denied("x"), True, False, True),
        (TooManyRequests("x", retry_after=5), False, False, False),
        (TooManyRequests("x", retry_after=3600), True, False, True),
        (TooManyRequests("x"), True, False, False),
    ],
)
def test_an_origin_is_out_of_reach_when_asking_again_soon_is_no_use(error, answered, shut, result):
    assert is_out_of_reach(error, answered=answered, shut=shut) is result


@pytest.mark.parametrize(
    ("origin", "mirrors", "liars", "kind"),
    [
        (NotFound("o"), [NotFound("m")], [], NotFound),
        (NotFound("o"), [ServerError("m")], [], ServerError),
        (NotFound("o"), [Denied("m")], [], Denied),
        (None, [], [], Unreachable),
        (NotFound("o"), [], ["liar"], NoHonestSource),
        (NoHonestSource("o", host="origin"), [NotFound("m")], [], NoHonestSource),
        (CorruptContent("o"), [NotFound("m")], ["liar"], CorruptContent),
        (ServerError("o"), [Unreachable("m")], ["liar"], ServerError),
    ],
)
def test_the_error_that_tells_most_is_raised(origin, mirrors, liars, kind):
    assert type(most_telling("what", origin, mirrors, liars)) is kind


def test_all_who_lied_are_named():
    error = most_telling("x", NoHonestSource("o", host="origin"), [], ["one", "two"])

    assert "wrong bytes came from one, two, origin" in str(error)


def test_who_was_asked_and_what_to_do_is_in_the_message():
    said = [Answer("hub", error=Unreachable("no route")), Answer("m", "op", A)]

    error = unresolved("docker.io/library/nginx:1.27", said, may_settle=False)

    assert str(error).startswith("what docker.io/library/nginx:1.27 means is not settled: ")
    assert all(text in str(error) for text in ("hub", "no route", f"m says {A.digest}"))
    assert f"`source: docker.io/library/nginx@{A.digest}`" in error.hint
    assert not error.transient
    assert unresolved("x:y", said, may_settle=True).transient
