"""The Security Token Service, as far as roles need it: AssumeRole and GetCallerIdentity (query protocol)."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl
from xml.etree.ElementTree import Element, SubElement, tostring

from syncer.sandbox.answers import Answer, answer
from syncer.sandbox.ecr.failures import Failure
from syncer.sandbox.ecr.names import service_model
from syncer.sandbox.ecr.shapes import check_request

if TYPE_CHECKING:
    from aiohttp import web

    from syncer.sandbox.ecr.principals import Principal, Principals

NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
DEFAULT_SECONDS = 3600


class Sts:
    """STS of one partition; it is asked in any of `regions`."""

    def __init__(self, principals: Principals, regions: set[str]) -> None:
        self._principals = principals
        self._regions = regions
        self._model = service_model("sts")
        self._actions = {"AssumeRole": self._assume_role, "GetCallerIdentity": self._caller_identity}

    async def handle(self, request: web.Request, _url: str) -> Answer:
        """Answer one request."""
        form = dict(parse_qsl((await request.content.read(-1)).decode(), keep_blank_values=True))
        try:
            principal = self._principals.identify(
                request.headers.get("Authorization", ""),
                request.headers.get("X-Amz-Security-Token"),
                "sts",
                self._regions,
            )
            return _result(form.get("Action", ""), self._answered(form, principal))
        except Failure as exc:
            return _error(exc)

    def _answered(self, form: dict[str, str], principal: Principal) -> dict[str, Any]:
        action, version = form.pop("Action", ""), form.pop("Version", "")
        if action not in self._actions or version != self._model.api_version:
            raise Failure("InvalidAction", f"Could not find operation {action} for version {version}")
        shape = self._model.operation_model(action).input_shape
        given: dict[str, Any] = {**form}
        if given.get("DurationSeconds", "").isdecimal():
            given["DurationSeconds"] = int(given["DurationSeconds"])
        if shape is not None:
            check_request(shape, given, "ValidationError")
        return self._actions[action](given, principal)

    def _assume_role(self, given: dict[str, Any], principal: Principal) -> dict[str, Any]:
        arn, session = given["RoleArn"], given["RoleSessionName"]
        if not re.fullmatch(rf"arn:{self._principals.partition}:iam::\d{{12}}:role/[\w+=,.@/-]+", arn):
            raise Failure("ValidationError", f"{arn} is invalid")
        if self._principals.external_ids.get(arn) not in {None, given.get("ExternalId")}:
            text = f"User: {principal.arn} is not authorized to perform: sts:AssumeRole on resource: {arn}"
            raise Failure("AccessDenied", text)
        role, secret = self._principals.take_role(arn, session, given.get("DurationSeconds", DEFAULT_SECONDS))
        expires = f"{role.expires_at:%Y-%m-%dT%H:%M:%SZ}"
        return {
            "Credentials": {
                "AccessKeyId": role.access_key,
                "SecretAccessKey": secret,
                "SessionToken": role.session_token,
                "Expiration": expires,
            },
            "AssumedRoleUser": {"AssumedRoleId": f"AROASANDBOX:{session}", "Arn": role.arn},
        }

    def _caller_identity(self, _given: dict[str, Any], principal: Principal) -> dict[str, Any]:
        return {"UserId": principal.access_key, "Account": principal.account, "Arn": principal.arn}


def _result(action: str, content: dict[str, Any]) -> Answer:
    root = Element(f"{action}Response", xmlns=NAMESPACE)
    _fill(SubElement(root, f"{action}Result"), content)
    SubElement(SubElement(root, "ResponseMetadata"), "RequestId").text = str(uuid.uuid4())
    return answer(200, tostring(root), {"Content-Type": "text/xml"})


def _error(failure: Failure) -> Answer:
    root = Element("ErrorResponse", xmlns=NAMESPACE)
    _fill(SubElement(root, "Error"), {"Type": "Sender", "Code": failure.code, "Message": failure.message})
    status = 403 if failure.code == "AccessDenied" else 400
    return answer(status, tostring(root), {"Content-Type": "text/xml"})


def _fill(element: Element, content: dict[str, Any]) -> None:
    for name, value in content.items():
        child = SubElement(element, name)
        if isinstance(value, dict):
            _fill(child, value)
        else:
            child.text = str(value)
