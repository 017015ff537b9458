"""One API request as the operations see it: its input, checked, and the registry that it is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from syncer.sandbox.ecr.failures import Failure, repository_not_found
from syncer.sandbox.ecr.paging import UnknownTokenError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syncer.sandbox.ecr.principals import Principal
    from syncer.sandbox.ecr.region import Region
    from syncer.sandbox.ecr.registry import Registry
    from syncer.sandbox.ecr.repository import Repository

DEFAULT_PAGE = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """An operation and its input, which the service model allows."""

    operation: str
    region: Region
    principal: Principal
    input: dict[str, Any]

    @property
    def account(self) -> str:
        """The registry that is meant: `registryId`, or else the caller's."""
        return str(self.input.get("registryId", self.principal.account))

    @property
    def registry(self) -> Registry:
        """That registry; another account's that does not exist here has no repositories."""
        try:
            return self.region.registries[self.account]
        except KeyError as exc:
            raise repository_not_found(str(self.input.get("repositoryName", "")), self.account) from exc

    @property
    def repository(self) -> Repository:
        """The repository that is meant."""
        return self.registry.repository(self.input["repositoryName"])

    @property
    def place(self) -> dict[str, str]:
        """The members that begin most answers."""
        return {"registryId": self.account, "repositoryName": self.input["repositoryName"]}

    def page(self, member: str, items: Sequence[Any], default: int = DEFAULT_PAGE) -> dict[str, Any]:
        """A page of `items` under `member`, with a `nextToken` if there are more."""
        size = self.input.get("maxResults", default)
        listing = f"{self.operation} {self.input.get('repositoryName', '')}"
        pages = self.registry.pages
        try:
            token = self.input.get("nextToken")
            found, following = pages.next(listing, token, size) if token else pages.first(listing, items, size)
        except UnknownTokenError as exc:
            raise Failure("InvalidParameterException", "Invalid parameter at 'nextToken'") from exc
        answer: dict[str, Any] = {member: list(found)}
        return answer | {"nextToken": following} if following else answer

    def expect_no_paging_with(self, member: str) -> None:
        """Refuse `member` together with nextToken or maxResults."""
        if member in self.input and self.input.keys() & {"nextToken", "maxResults"}:
            raise Failure("InvalidParameterException", f"'{member}' cannot be combined with nextToken or maxResults")
