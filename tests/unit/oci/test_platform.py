import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.oci.platform import Platform


def goal(architecture, variant="", system="linux"):
    return {"OS": system, "Architecture": architecture, "Variant": variant}


PARSED = [
    {"parse": "linux/x86_64", "goal": goal("amd64")},
    {"parse": "Linux/AMD64", "goal": goal("amd64")},
    {"parse": "linux/arm64/8", "goal": goal("arm64")},
    {"parse": "linux/arm/7", "goal": goal("arm", "v7")},
    {"parse": "linux/s390x", "goal": goal("s390x")},
    {"parse": "linux/", "wantErr": "x"},
    {"parse": "linux/arm/v7/x", "wantErr": "x"},
    {"parse": "linux/ämd64", "wantErr": "x"},
    {"parse": "linux/amd64,speed=9", "wantErr": "x"},
]


def platform(fields):
    """The platform that a table's case spells."""
    return Platform(
        fields["OS"],
        fields["Architecture"],
        fields.get("Variant", ""),
        fields.get("OSVersion", ""),
        tuple(fields.get("OSFeatures", ())),
    )


@pytest.mark.table("platform_parse", own=PARSED)
def test_a_platform_has_a_system_and_an_architecture(case):
    """Rule: nothing is filled in from the machine at hand: a system, an architecture or `local` alone is refused."""
    if "wantErr" in case or "/" not in case["parse"]:
        with pytest.raises(ValueError, match="platform"):
            Platform.parse(case["parse"])
        return
    wanted = case["goal"]
    if isinstance(wanted, dict):
        variant = wanted.get("Variant", "") if "." not in wanted.get("Variant", "") else ""  # a name in Go, no value
        assert Platform.parse(case["parse"]) == platform(wanted | {"Variant": variant})
    else:
        assert str(Platform.parse(case["parse"])) == case["parse"]


def wish(spec, have, *, sat):
    return {"spec": spec, "have": have, "sat": sat}


COMPARED = [
    wish(goal("arm", "v7"), goal("arm", "v7"), sat=True),
    wish(goal("arm", "v7"), goal("arm", "v6"), sat=False),
    wish(goal("arm"), goal("arm", "v7"), sat=True),
    wish(goal("arm"), goal("arm", "v6"), sat=False),
    wish(goal("arm", "v7"), goal("arm"), sat=True),
    wish(goal("arm64", "v8"), goal("arm64"), sat=True),
    wish(goal("amd64", "v1"), goal("amd64"), sat=True),
    wish(goal("amd64"), goal("amd64", "v2"), sat=False),
]


@pytest.mark.table("platform_compare", own=COMPARED)
def test_a_wish_is_met_by_exactly_the_platform_it_names(case):
    """Columns: `expectMatch` of regclient (host wants, target has) and `sat` of go-containerregistry."""
    wanted, have = (case["spec"], case["have"]) if "sat" in case else (case["host"], case["target"])

    assert platform(have).matches(platform(wanted)) == expected(case, wanted, have)


def expected(case, wanted, have):
    """Rules where we differ from `sat`.

    A wish without a variant means the plain architecture, as for Docker and regclient, where `pios` satisfies it there.
    CPU features (`Features`) are no part of a Platform, the image-spec only reserves the name: nobody can ask for them.
    """
    if "sat" not in case:
        return case["expectMatch"]
    if "Features" in wanted:
        return True
    return case["sat"] and not (have.get("Variant") == "pios" and "Variant" not in wanted)


@pytest.mark.parametrize(
    "text", ["linux/amd64", "linux/arm/v7", "windows/amd64,osver=10.0.17763.1,osfeature=win32k", "unknown/unknown"]
)
def test_a_platform_keeps_its_text(text):
    assert str(Platform.parse(text)) == text


def test_a_windows_wish_takes_every_version_or_one_build():
    have = Platform.parse("windows/amd64,osver=10.0.17763.4974")

    assert have.matches(Platform.parse("windows/amd64"))
    assert have.matches(Platform.parse("windows/amd64,osver=10.0.17763"))
    assert not have.matches(Platform.parse("windows/amd64,osver=10.0.20348"))


def test_json_gives_and_takes_every_member():
    members = {
        "architecture": "amd64",
        "os": "windows",
        "variant": "v2",
        "os.version": "10.0.1",
        "os.features": ["win32k"],
    }
    found = Platform.from_json(members)

    assert found == Platform("windows", "amd64", "v2", "10.0.1", ("win32k",))
    assert found.to_json() == members


@pytest.mark.parametrize("members", [None, {"os": "", "architecture": ""}])
def test_a_descriptor_may_have_no_platform(members):
    assert Platform.from_json(members) is None


@pytest.mark.parametrize(
    "members",
    [
        [],
        "linux/amd64",
        {"os": "linux"},
        {"os": "linux", "architecture": 5},
        {"os": "linux", "architecture": "a/b"},
        {"os": "linux", "architecture": "amd64", "OS": "windows"},
        {"os": "linux", "architecture": "\x1b[31m"},
        {"os": "linux", "architecture": "amd64", "os.features": [1]},
    ],
)
def test_json_that_is_no_platform_is_refused(members):
    with pytest.raises(ValueError, match=r"\w"):
        Platform.from_json(members)


@given(st.text() | st.from_regex(r"[a-z]{1,9}/[a-z0-9]{1,9}(/v?[0-9]{1,2})?(,osver=[0-9.]{1,9})?"))
def test_any_text_is_a_platform_or_a_value_error(text):
    try:
        found = Platform.parse(text)
    except ValueError:
        return
    assert Platform.parse(str(found)) == found
