"""The plan as JSON, out and in: what `plan --out` writes and `apply` reads."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    InstanceOf,
    PlainSerializer,
    ValidationError,
)

from syncer import errors
from syncer.oci import descriptor, digest, platform, reference, said
from syncer.plan import model
from syncer.settings.timeouts import DEADLINE

if TYPE_CHECKING:
    from collections.abc import Callable


def dump(plan: model.Plan) -> str:
    """`plan` as a JSON document."""
    return _Plan.model_validate(plan).model_dump_json(indent=1)


def load(text: bytes | str) -> model.Plan:
    """The plan that `text` holds; StalePlan if it is none, or one of another version."""
    try:
        plan: model.Plan = _Plan.model_validate_json(text).value()
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the document"
        raise errors.StalePlan(f"this is no plan that syncer can apply: {where}: {first['msg']}") from exc
    except ValueError as exc:
        raise errors.StalePlan(f"this is no plan that syncer can apply: {exc}") from exc
    return plan


def _reader(parse: Callable[[str], Any]) -> BeforeValidator:
    """Text is read by the value's own parser, which refuses what is not in its grammar."""
    return BeforeValidator(lambda value: parse(value) if isinstance(value, str) else value)


def _moment(text: str) -> str:
    """`text`, if it is a time with its zone."""
    if datetime.fromisoformat(text).tzinfo is None:
        raise ValueError("the time has no zone")
    return text


_Digest = Annotated[InstanceOf[digest.Digest], _reader(digest.Digest.parse), PlainSerializer(str)]
_Reference = Annotated[InstanceOf[reference.Reference], _reader(reference.Reference.parse_name), PlainSerializer(str)]
_Platform = Annotated[InstanceOf[platform.Platform], _reader(platform.Platform.parse), PlainSerializer(str)]


class _Model(BaseModel):
    """Exactly the fields of the value that it makes, and is made from."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)
    makes: ClassVar[Any]

    def value(self) -> Any:
        """The value; ValueError if its parts do not fit together."""
        fields = {name: _value(getattr(self, name)) for name in type(self).model_fields if name != "schema_version"}
        return type(self).makes(**fields)


def _value(field: Any) -> Any:
    if isinstance(field, tuple):
        return tuple(_value(item) for item in field)
    return field.value() if isinstance(field, _Model) else field


class _Failure(_Model):
    makes = errors.Failure
    code: str
    message: str
    hint: str = ""
    host: str | None = None


class _Said(_Model):
    makes = said.Said
    host: str
    digest: _Digest | None = None
    failure: _Failure | None = None


class _Descriptor(_Model):
    """A root: of its descriptor only what names the content counts."""

    makes = descriptor.Descriptor
    media_type: str
    digest: _Digest
    size: int


class _Destination(_Model):
    makes = model.Destination
    target: str
    reference: _Reference
    before: _Digest | None = None


class _Copy(_Model):
    makes = model.Copy
    source: _Reference
    root: _Descriptor
    landing: _Descriptor
    resolved_by: str
    destinations: tuple[_Destination, ...]
    said: tuple[_Said, ...] = ()
    only: tuple[_Platform, ...] = ()
    referrers: bool = False
    size: int = 0
    deadline: Annotated[float, Field(gt=0, allow_inf_nan=False)] = DEADLINE
    left_out: tuple[_Digest, ...] = ()


class _Skip(_Model):
    makes = model.Skip
    source: _Reference
    destination: _Destination
    why: model.Why
    digest: _Digest
    source_digest: _Digest | None
    resolved_by: str
    said: tuple[_Said, ...] = ()
    warning: _Failure | None = None
    referrers: bool = False
    only: tuple[_Platform, ...] = ()


class _Lost(_Model):
    makes = model.Lost
    source: _Reference
    destinations: tuple[_Destination, ...]
    failure: _Failure
    blocked: bool = False
    said: tuple[_Said, ...] = ()
    source_digest: _Digest | None = None


class _Plan(_Model):
    makes = model.Plan
    schema_version: Literal[1] = 1
    config: str
    config_sha256: str
    created: Annotated[str, AfterValidator(_moment)]
    copies: tuple[_Copy, ...] = ()
    skips: tuple[_Skip, ...] = ()
    lost: tuple[_Lost, ...] = ()
    creates: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()
