"""Single values of mirrors.yaml: text → typed value, or the reason why not. They know nothing of where they stand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from pydantic import PlainValidator
from pydantic_core import PydanticCustomError

from syncer.config.problems import quoted
from syncer.oci.names import RepositoryName, Tag
from syncer.oci.origin import Origin
from syncer.oci.reference import Reference, canonical_registry
from syncer.settings.bandwidth import Timetable, bytes_per_second

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_DURATION = re.compile(r"([0-9]{1,9})([smhdw]?)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_TIMEOUT = re.compile(r"([0-9]{1,7}(?:\.[0-9]{1,3})?)(ms|s|m|h|d)")
_LONGEST = 7 * 86400.0  # a time that nobody waits for is none
_GLOB = re.compile(r"[*?\[\]]")
_BRACKETED_HOST = re.compile(r"\[[0-9A-Fa-f:.]+\](?::[0-9]+)?/")
_GLOB_TAG = re.compile(r"(?:[A-Za-z0-9_.*?-]|\[!?[A-Za-z0-9_.-]+\]){1,512}")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_PLACEHOLDERS = ("registry", "repository", "name")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]{1,576}")
_TARGET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def refuse(code: str, why: str) -> NoReturn:
    """Stop a validator with a problem of that code."""
    raise PydanticCustomError("E", "{why}", {"code": code, "why": why})


def reads(parse: Callable[[str], T]) -> PlainValidator:
    """The validator of a value that `parse` makes of text; its ValueError becomes E112."""

    def read(value: Any) -> T:
        if not isinstance(value, str):
            raise PydanticCustomError("string_type", "text is wanted")
        return parse(value)

    return PlainValidator(read, json_schema_input_type=str)


@dataclass(frozen=True, slots=True)
class Url:
    """Where a mirror is: host with port, the scheme if one is written, and the path as a repository prefix."""

    netloc: str
    scheme: str | None
    prefix: str

    def origin(self, default_scheme: str) -> Origin:
        """The origin, with `default_scheme` where none is written."""
        return Origin.parse(self.netloc, default_scheme=self.scheme or default_scheme)


def url(text: str) -> Url:
    """A mirror's address; ValueError for user names, queries, fragments, and paths that are no prefix."""
    scheme, separator, rest = text.partition("://")
    rest = rest if separator else text
    Origin.parse(text)
    netloc, _, path = rest.partition("/")
    prefix = path.strip("/")
    if prefix == "v2" or prefix.startswith("v2/"):
        raise ValueError("leave /v2/ out of a mirror's address: every path is put behind it")
    return Url(netloc, scheme.lower() if separator else None, str(RepositoryName(prefix)) if prefix else "")


def proxy(text: str) -> str:
    """`http://host:port`, or nothing."""
    if not text:
        return ""
    if "://" not in text:
        refuse("E112", "a proxy is written with its scheme, as http://proxy.example.com:3128")
    if "@" in text:
        refuse("E112", "a proxy's user and password stand in the HTTPS_PROXY variable, not in this file")
    if text.partition("://")[2].rstrip("/").count("/"):
        refuse("E112", "a proxy has no path")
    return str(Origin.parse(text))


@dataclass(frozen=True, slots=True)
class RegistryPath:
    """A registry to write to, and what is put before every repository there."""

    host: str
    prefix: str


def registry_path(text: str) -> RegistryPath:
    """`host[:port][/prefix]`."""
    if "://" in text:
        refuse("E112", "a target is `host[:port]` without a scheme; say `plain_http: true` under `registries`")
    host, _, prefix = text.partition("/")
    return RegistryPath(canonical_registry(host), str(RepositoryName(prefix)) if prefix else "")


def source(text: str) -> Reference:
    """An image's name as Docker takes it."""
    host = _BRACKETED_HOST.match(text)
    if _GLOB.search(text, host.end() if host else 0):
        refuse("E109", "a glob over the repositories of a registry comes with a later version; name each repository")
    return Reference.parse_name(text)


def tag_or_glob(text: str) -> str:
    """A tag, or a pattern of `*`, `?` and `[...]` for tags."""
    if not is_glob(text):
        return str(Tag(text))
    if not _GLOB_TAG.fullmatch(text):
        raise ValueError(f"{quoted(text)} is no pattern for tags: letters, digits, '_', '.', '-', '*', '?' and [...]")
    return text


def is_glob(text: str) -> bool:
    """Whether a tag of the file is a pattern."""
    return bool(_GLOB.search(text))


@dataclass(frozen=True, slots=True)
class Template:
    """A target: a repository with placeholders, and the tag if one is written."""

    repository: str
    tag: Tag | None

    def fill(self, source: Reference) -> RepositoryName:
        """The repository for that source; ValueError if it is none."""
        known = {
            "registry": source.registry,
            "repository": str(source.repository),
            "name": source.repository.name,
        }
        return RepositoryName(_PLACEHOLDER.sub(lambda mark: known[mark[1]], self.repository))


def template(text: str) -> Template:
    """`repository[:tag]` with {registry}, {repository} and {name}."""
    for name in _PLACEHOLDER.findall(text):
        if name not in _PLACEHOLDERS:
            refuse(
                "E114",
                f"unknown placeholder {quoted('{' + name + '}')}; there are {{registry}}, {{repository}}, {{name}}",
            )
    rest = _PLACEHOLDER.sub("x", text)
    if "{" in rest or "}" in rest:
        refuse("E114", "a brace stands alone; placeholders are {registry}, {repository} and {name}")
    if "@" in rest:
        refuse("E112", "a target has no digest: it gets the source's")
    repository, colon, tag = text.partition(":")
    RepositoryName(_PLACEHOLDER.sub("x", repository))
    return Template(repository, Tag(tag) if colon else None)


def default_template(text: str) -> Template:
    """A template for many images: without a tag."""
    made = template(text)
    if made.tag:
        refuse("E114", "a default cannot name one tag; write it at the image")
    return made


def duration(text: str) -> float:
    """`7d`, `12h`, `30m`, `90s`, `2w` or `0`, in seconds."""
    found = _DURATION.fullmatch(text)
    if not found or (not found[2] and int(found[1])):
        refuse("E105", "must be a time such as 7d, 12h, 30m, 90s or 0")
    return float(int(found[1]) * _SECONDS.get(found[2], 0))


def timeout(text: str) -> float:
    """`500ms`, `10s`, `1.5m`, `2h` or `1d`, in seconds; more than none, at most a week."""
    found = _TIMEOUT.fullmatch(text)
    seconds = float(found[1]) * (_SECONDS | {"ms": 0.001})[found[2]] if found else 0.0
    if not 0 < seconds <= _LONGEST:
        refuse("E105", "must be a time such as 500ms, 10s, 2m or 2h, of at most 7d")
    return seconds


def floor(text: str) -> float:
    """Bytes per second, or `off` for none."""
    rate = 0.0 if text == "off" else bytes_per_second(text)
    if rate is None:
        refuse("E105", "must be a rate in bytes per second, such as 1k or 500, or off")
    return rate


def bandwidth(text: str) -> Timetable:
    """Bytes per second, or a timetable of them."""
    try:
        return Timetable.parse(text)
    except ValueError as error:
        refuse("E105", str(error))


def version(text: str) -> int:
    """The version of the file's format."""
    if text != "1":
        refuse("E105", "must be 1, the only version of this file's format")
    return 1


def role_arn(text: str) -> str:
    """The ARN of an IAM role, or nothing."""
    if text and not _ROLE.fullmatch(text):
        refuse("E112", "must be a role's ARN, such as arn:aws-cn:iam::123456789012:role/syncer")
    return text


def operator(text: str) -> str:
    """Who runs a mirror: any name, compared without regard to case."""
    if not text.strip():
        refuse("E105", "must not be empty; leave it out for the host's registrable domain")
    return text.strip().lower()


def check_target_name(text: str) -> None:
    """ValueError unless `text` can name a target."""
    if not _TARGET_NAME.fullmatch(text):
        raise ValueError(f"{quoted(text)} is no name for a target: letters, digits, '.', '_' and '-' are")
