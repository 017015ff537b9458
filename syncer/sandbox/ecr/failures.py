"""What ECR says when it refuses: one exception for both doors, named as the AWS API names it."""

from __future__ import annotations

from typing import Any


class Failure(Exception):
    """A refusal with the API's error code; `/v2/` translates the code, the text is the same there."""

    def __init__(self, code: str, message: str, **members: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.members = members


def invalid(where: str, constraint: str, code: str = "InvalidParameterException") -> Failure:
    """A request that breaks a constraint of the service model."""
    return Failure(code, f"Invalid parameter at '{where}' failed to satisfy constraint: '{constraint}'")


def repository_not_found(name: str, account: str) -> Failure:
    """No such repository in that account and region."""
    return Failure(
        "RepositoryNotFoundException",
        f"The repository with name '{name}' does not exist in the registry with id '{account}'",
    )


def image_not_found(name: str, account: str, wanted: str) -> Failure:
    """One of the images asked for is missing, and the whole call fails for it."""
    return Failure(
        "ImageNotFoundException",
        f"The image with imageId {wanted} does not exist within the repository"
        f" with name '{name}' in the registry with id '{account}'",
    )


def throttled() -> Failure:
    """The action's token bucket is empty."""
    return Failure("ThrottlingException", "Rate exceeded")
