"""`POST /` with JSON 1.1: who signed, which operation, is the input allowed, and the answer or `__type`."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from syncer.sandbox.answers import Answer, answer
from syncer.sandbox.ecr.api import images, layers, registries, repositories
from syncer.sandbox.ecr.api.asked import Asked
from syncer.sandbox.ecr.failures import Failure
from syncer.sandbox.ecr.names import service_model
from syncer.sandbox.ecr.principals import signer
from syncer.sandbox.ecr.region import ApiCall
from syncer.sandbox.ecr.shapes import ModelViolationError, check_answer, check_request

if TYPE_CHECKING:
    from aiohttp import web
    from botocore.model import OperationModel

    from syncer.sandbox.ecr.principals import Principal
    from syncer.sandbox.ecr.region import Region

TARGET = "AmazonEC2ContainerRegistry_V20150921."
JSON = "application/x-amz-json-1.1"
_TIME = "%Y%m%dT%H%M%SZ"
_SKEW = timedelta(minutes=5)
OPERATIONS = {**repositories.OPERATIONS, **images.OPERATIONS, **layers.OPERATIONS, **registries.OPERATIONS}
COMMON_ERRORS = {  # that every operation may give (Amazon ECR API reference, "Common Errors")
    "ExpiredTokenException",
    "InvalidParameterException",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "SerializationException",
    "ThrottlingException",
    "UnknownOperationException",
    "UnrecognizedClientException",
    "ValidationException",
}


class ApiDoor:
    """The AWS API of one region."""

    def __init__(self, region: Region) -> None:
        self._region = region
        self._model = service_model("ecr")

    async def handle(self, request: web.Request, _url: str) -> Answer:
        """Answer one API request, and keep it in `Region.calls`."""
        target = request.headers.get("X-Amz-Target", "")
        operation = target.removeprefix(TARGET) if target.startswith(TARGET) else ""
        body = await request.content.read(-1)
        error = None
        try:
            made = _json(200, self._answered(request, operation, body))
        except Failure as exc:
            error = exc.code
            made = _json(400, {"__type": exc.code, "message": exc.message, **exc.members})
        except ModelViolationError as exc:
            error = "ServerException"
            made = _json(500, {"__type": error, "message": f"the sandbox broke the service model: {exc}"})
        made.headers["Date"] = format_datetime(self._region.clock.now(), usegmt=True)
        self._region.calls.append(ApiCall(operation, signer(request.headers.get("Authorization", "")), error))
        return made

    def _answered(self, request: web.Request, operation: str, body: bytes) -> dict[str, Any]:
        principal = self._principal(request)
        if request.path != "/" or request.content_type != JSON or operation not in OPERATIONS:
            text = f"'{operation}' is no operation of ECR's that is served here"
            raise Failure("UnknownOperationException", text)
        model = self._model.operation_model(operation)
        asked = Asked(operation, self._region, principal, _input(model, body))
        if asked.account in self._region.registries:
            self._region.registries[asked.account].throttle.take(operation)
        return self._checked(model, asked)

    def _checked(self, model: OperationModel, asked: Asked) -> dict[str, Any]:
        """The operation's answer, which must be one that the model allows; so must its errors."""
        try:
            made = OPERATIONS[asked.operation](asked)
        except Failure as exc:
            if exc.code not in COMMON_ERRORS | {shape.name for shape in model.error_shapes}:
                raise ModelViolationError(f"{asked.operation} does not declare {exc.code}") from exc
            raise
        check_answer(model.output_shape, made)
        return made

    def _principal(self, request: web.Request) -> Principal:
        if self._region.switches.checks_time:
            _check_time(request.headers.get("X-Amz-Date", ""), self._region.clock.now())
        return self._region.principals.identify(
            request.headers.get("Authorization", ""),
            request.headers.get("X-Amz-Security-Token"),
            "ecr",
            {self._region.names.region},
        )


def _check_time(signed: str, now: datetime) -> None:
    """Five minutes to either side. Source: AWS General Reference, "Signature Version 4": eliminating skew."""
    then = datetime.strptime(signed, _TIME).replace(tzinfo=UTC)
    early, late = now - _SKEW, now + _SKEW
    if then < early:
        text = f"{signed} is now earlier than {early:{_TIME}} ({now:{_TIME}} - 5 min.)"
        raise Failure("InvalidSignatureException", f"Signature expired: {text}")
    if then > late:
        text = f"{signed} is still later than {late:{_TIME}} ({now:{_TIME}} + 5 min.)"
        raise Failure("InvalidSignatureException", f"Signature not yet current: {text}")


def _input(model: OperationModel, body: bytes) -> dict[str, Any]:
    declared = {shape.name for shape in model.error_shapes}
    code = "InvalidParameterException" if "InvalidParameterException" in declared else "ValidationException"
    try:
        given = json.loads(body)
    except ValueError as exc:
        raise Failure("SerializationException", "The request is not JSON") from exc
    if model.input_shape is not None:
        check_request(model.input_shape, given, code)
    return dict(given)


def _json(status: int, content: dict[str, Any]) -> Answer:
    headers = {"Content-Type": JSON, "x-amzn-RequestId": str(uuid.uuid4())}
    return answer(status, json.dumps(content).encode(), headers)
