"""`registries:` → RegistrySettings."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from syncer.config import models, tree
from syncer.config.operators import operator_of
from syncer.config.problems import quoted
from syncer.oci.reference import canonical_registry
from syncer.settings.registries import (
    DOCKER_HUB,
    HUB_LIMITS,
    MIRROR_LIMITS,
    WEEK,
    Auth,
    Endpoint,
    Limits,
    MirrorSettings,
    RegistrySettings,
    Tls,
    Trust,
    Way,
    origin_of,
)
from syncer.settings.secret import Secret

if TYPE_CHECKING:
    from syncer.config.check import Reading
    from syncer.config.tree import Entry, Node, Spot
    from syncer.oci.origin import Origin
    from syncer.settings.timeouts import Timeouts

_FILE = "file:"


def registries(reading: Reading, root: Node, timeouts: Timeouts) -> dict[str, RegistrySettings]:
    """The settings of every registry that the file mentions, under its canonical name; `timeouts` are the defaults."""
    made: dict[str, RegistrySettings] = {}
    first: dict[str, Spot] = {}
    for key, entry in tree.entries(root, "registries").items():
        name = _name(reading, key, entry)
        if name in first:
            message = f"{quoted(key)} is {name} again (first on line {first[name].line})"
            reading.problems.add("E104", message, entry.key_at)
        elif name is not None:
            first[name] = entry.key_at
        settings = _registry(reading, name or key, entry.node, timeouts)
        if name and settings:
            made[name] = settings
    return made


def _name(reading: Reading, key: str, entry: Entry) -> str | None:
    try:
        return canonical_registry(key)
    except ValueError as exc:
        reading.problems.add("E112", str(exc), entry.key_at)
        return None


def _registry(reading: Reading, name: str, node: Node, timeouts: Timeouts) -> RegistrySettings | None:
    model = reading.checked(models.Registry, node)
    if model is None:
        return None
    _refuse_twice(reading, [str(way.value) for way in model.resolve], tree.items(node, "resolve"))
    tls = _tls(reading, model.tls, node)
    try:
        origin = origin_of(name, tls)
    except ValueError:  # the name itself is wrong, and noted
        return None
    endpoint = _endpoint(reading, model, node, Endpoint(origin, tls=tls, limits=_base_limits(name), timeouts=timeouts))
    mirrors = _mirrors(reading, model.mirrors, node, timeouts)
    keep_for = WEEK if model.keep_for is None else model.keep_for
    return RegistrySettings(name, endpoint, mirrors, _ways(model, mirrors), keep_for)


def _ways(model: models.Registry, mirrors: tuple[MirrorSettings, ...]) -> tuple[Way, ...]:
    """As written; else origin and agreement, and the mirrors that the file trusts about tags, if there are any."""
    if model.resolve:
        return tuple(model.resolve)
    trusted = any(mirror.trust is Trust.TAGS for mirror in mirrors)
    return (Way.ORIGIN, Way.AGREEMENT, *((Way.MIRROR,) if trusted else ()))


def _base_limits(name: str) -> Limits:
    return HUB_LIMITS if name == DOCKER_HUB else Limits()


def _refuse_twice(reading: Reading, names: list[str], nodes: tuple[Node, ...]) -> None:
    for index, (name, node) in enumerate(zip(names, nodes, strict=False)):
        if name in names[:index]:
            reading.problems.add("E105", f"{quoted(name)} stands in the list twice", node.at)


def _mirrors(
    reading: Reading, mirrors: list[models.Mirror], node: Node, timeouts: Timeouts
) -> tuple[MirrorSettings, ...]:
    made: list[MirrorSettings] = []
    lines: dict[tuple[Origin, str], int] = {}
    for model, place in zip(mirrors, tree.items(node, "mirrors"), strict=True):
        mirror = _mirror(reading, model, place, timeouts)
        where = tree.find(place, ["url"]).at
        key = (mirror.endpoint.origin, mirror.endpoint.prefix)
        if key in lines:
            reading.problems.add("E105", f"the same mirror is already on line {lines[key]}", where)
        lines.setdefault(key, where.line)
        made.append(mirror)
    return tuple(made)


def _mirror(reading: Reading, model: models.Mirror, node: Node, timeouts: Timeouts) -> MirrorSettings:
    tls = _tls(reading, model.tls, node)
    origin = model.url.origin("https")
    plain = tls.plain(origin.host)
    origin = model.url.origin("http" if plain else "https")
    if tls.plain_http is not None and plain != (origin.scheme == "http"):
        message = f"`plain_http` contradicts the address, which begins with {origin.scheme}://"
        reading.problems.add("E105", message, tree.find(node, ["tls", "plain_http"]).at)
    endpoint = Endpoint(origin, model.url.prefix, limits=MIRROR_LIMITS, tls=tls, timeouts=timeouts)
    endpoint = _endpoint(reading, model, node, endpoint)
    return MirrorSettings(endpoint, model.trust, model.operator or operator_of(origin.host))


def _endpoint(reading: Reading, model: models.Endpoint, node: Node, bare: Endpoint) -> Endpoint:
    """`bare` with what the file says about it."""
    return replace(
        bare,
        auth=_auth(reading, model.auth, tree.find(node, ["auth"])) if model.auth else None,
        limits=_limits(model.limits, bare.limits),
        proxy=model.proxy or None,
        token_realms=tuple(model.token_realms),
        upload_hosts=tuple(model.upload_hosts),
        timeouts=over(bare.timeouts, model.timeouts),
    )


def over(base: Timeouts, model: models.Timeouts) -> Timeouts:
    """`base` with what the file says."""
    return replace(base, **model.model_dump(exclude_none=True))


def _limits(model: models.Limits, base: Limits) -> Limits:
    in_flight = base.in_flight if model.in_flight is None else model.in_flight
    per_second = base.per_second if model.per_second is None else model.per_second or None
    return Limits(in_flight, per_second, model.bandwidth)


def _tls(reading: Reading, model: models.Tls, node: Node) -> Tls:
    place = tree.find(node, ["tls", "ca"])
    if model.plain_http and model.ca:
        reading.problems.add("E105", "`ca` means nothing with `plain_http: true`", place.at)
    ca = reading.authorities(model.ca, place) if model.ca else None
    return Tls(ca, model.verify, model.plain_http)


def _auth(reading: Reading, model: models.Auth, node: Node) -> Auth | None:
    """None for an empty user name: `${HUB_USER:-}` is how a file says that it can do without."""
    given = [key for key in ("password", "password_file") if getattr(model, key) is not None]
    if len(given) > 1:
        reading.problems.add("E105", "`password` and `password_file` exclude each other", node.at)
    if not model.username:
        return None
    if not given:
        reading.problems.add("E103", "`auth` needs `password` or `password_file`", node.at)
        return None
    password = _password(reading, model, node)
    if password == "":
        place = tree.find(node, ["password"])  # where an undefined variable, already told of, spoils what follows
        reading.problems.add("E105", "the password is empty; with an empty user name too, none is used", place.at)
    return Auth(model.username, Secret(password)) if password else None


def _password(reading: Reading, model: models.Auth, node: Node) -> str | None:
    if model.password is None:
        return reading.secret(model.password_file or "", tree.find(node, ["password_file"]))
    place = tree.find(node, ["password"])
    written = place.raw if isinstance(place, tree.Text) else ""
    if written.startswith(_FILE):  # as written here: a variable's value is never read as a path
        return reading.secret(model.password.removeprefix(_FILE), place)
    return model.password
