"""Keychains made of written credentials."""

from syncer.credentials.keychain import Credential
from syncer.credentials.static import FirstOf, StaticKeychain
from syncer.oci.origin import Origin
from syncer.settings.secret import Secret

HERE = Origin.parse("https://a.example.com")
MINE = Credential("me", Secret("canary"))


async def test_a_credential_belongs_to_scheme_host_and_port():
    keychain = StaticKeychain({HERE: MINE})
    others = [
        Origin.parse(url) for url in ("http://a.example.com", "https://a.example.com:8443", "https://b.example.com")
    ]
    assert await keychain.credential(HERE) == MINE
    assert [await keychain.credential(origin) for origin in others] == [None, None, None]


async def test_the_first_keychain_that_knows_answers():
    keychain = FirstOf(StaticKeychain({}), StaticKeychain({HERE: MINE}))
    assert await keychain.credential(HERE) == MINE
    assert await keychain.renew(HERE) is None


def test_a_secret_is_printed_nowhere():
    assert "canary" not in f"{MINE} {MINE!r} {MINE.password} {[MINE]}"
