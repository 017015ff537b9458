"""What a 401 asks for: the `WWW-Authenticate` fields, read by hand in linear time within limits."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from syncer.oci.shown import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

_LONGEST = 8192  # bytes of all fields together
_MOST_PARAMETERS = 32
_MOST_CHALLENGES = 8

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 -- RFC 9110's word, not a secret
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_NAME = rf'({_TOKEN}|"(?:[^"\\]|\\.)+")'
_GAP = re.compile(r"[\s,]*")
_PARAMETER = re.compile(rf'{_NAME}\s*=\s*({_QUOTED}|[^\s",]+)\s*(?=,|$)', re.DOTALL)
_CUT_OFF = re.compile(rf'{_NAME}\s*=\s*(?:"(?:[^"\\]|\\.)*)?$', re.DOTALL)
_SCHEME = re.compile(rf"{_NAME}(?=[\s,]|$)", re.DOTALL)
_TOKEN68 = re.compile(r"\s+([0-9A-Za-z._~+/-]+=*)\s*(?=,|$)")


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way to authenticate: scheme and parameter names are lowercase."""

    scheme: str
    params: dict[str, str] = field(default_factory=dict)


def parse_challenges(values: Sequence[str]) -> tuple[Challenge, ...]:
    """Every challenge of the fields `values`, in order; none where there are none.

    ValueError for a duplicate parameter, for what exceeds the limits and for what is malformed; only a last parameter
    that was cut off is left out, since real registries send such. Spec: RFC 9110, 11.6.1.
    """
    if sum(map(len, values)) > _LONGEST:
        raise ValueError(f"the challenge is longer than {_LONGEST} bytes")
    challenges = tuple(challenge for value in values for challenge in _in_field(value))
    if len(challenges) > _MOST_CHALLENGES:
        raise ValueError(f"there are more than {_MOST_CHALLENGES} challenges")
    return challenges


def _in_field(value: str) -> list[Challenge]:
    found: list[Challenge] = []
    position = _skip(value, 0)
    while position < len(value):
        if found and (match := _PARAMETER.match(value, position)):
            _add(found[-1], _unquoted(match[1]).lower(), _unquoted(match[2]))
        elif found and found[-1].params and _CUT_OFF.match(value, position):
            break
        elif match := _SCHEME.match(value, position):
            found.append(Challenge(_unquoted(match[1]).lower()))
            match = _TOKEN68.match(value, match.end()) or match
        else:
            raise ValueError(f"the challenge {shown(value)} is malformed")
        position = _skip(value, match.end())
    return found


def _skip(value: str, position: int) -> int:
    gap = _GAP.match(value, position)
    return gap.end() if gap else position


def _add(challenge: Challenge, name: str, value: str) -> None:
    if name in challenge.params:
        raise ValueError(f"the challenge has {shown(name)} twice")
    if len(challenge.params) >= _MOST_PARAMETERS:
        raise ValueError(f"the challenge has more than {_MOST_PARAMETERS} parameters")
    challenge.params[name] = value


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL) if text.startswith('"') else text
