"""The registry of one account in one region: what both doors, the API and `/v2/`, work on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from syncer.sandbox.ecr.failures import Failure, repository_not_found
from syncer.sandbox.ecr.mutability import TagMutability
from syncer.sandbox.ecr.paging import Pages
from syncer.sandbox.ecr.repository import Repository
from syncer.sandbox.ecr.throttle import Throttle
from syncer.sandbox.store import Store

if TYPE_CHECKING:
    from datetime import datetime

    from syncer.clock import Clock
    from syncer.sandbox.ecr.names import RegionNames
    from syncer.sandbox.ecr.switches import Switches

CREATE_ON_PUSH = "CREATE_ON_PUSH"


@dataclass(slots=True)
class Settings:
    """What is set for the registry as a whole."""

    account: dict[str, str] = field(default_factory=dict)
    templates: dict[str, dict[str, Any]] = field(default_factory=dict)  # by prefix
    replication: dict[str, Any] = field(default_factory=lambda: {"rules": []})
    replicating_since: datetime | None = None


class Registry:
    """Repositories by name, in one `store` with their settings beside it."""

    def __init__(self, account: str, names: RegionNames, clock: Clock, switches: Switches) -> None:
        self.account = account
        self.names = names
        self.clock = clock
        self.switches = switches
        self.store = Store(clock)
        self.repositories: dict[str, Repository] = {}
        self.settings = Settings()
        self.pages = Pages()
        self.throttle = Throttle(clock, switches)

    def repository(self, name: str) -> Repository:
        """The repository of that name; raises RepositoryNotFoundException."""
        try:
            return self.repositories[name]
        except KeyError as exc:
            raise repository_not_found(name, self.account) from exc

    def create(self, name: str, **settings: Any) -> Repository:
        """Create a repository with these fields of Repository; refused if it is there or the registry full."""
        if name in self.repositories:
            text = f"The repository with name '{name}' already exists in the registry with id '{self.account}'"
            raise Failure("RepositoryAlreadyExistsException", text)
        if len(self.repositories) >= self.switches.repositories:
            raise Failure("LimitExceededException", "The maximum number of repositories per registry has been reached")
        created = Repository(self.store.create(name), self.account, self.clock.now(), **settings)
        self.repositories[name] = created
        return created

    def delete(self, name: str) -> None:
        """Forget a repository with all that it holds."""
        del self.repositories[name]
        del self.store.repositories[name]

    def pushed_to(self, name: str) -> Repository:
        """The repository of a push, created by the template with the longest matching prefix if need be."""
        template = self._template(name)
        if name in self.repositories or template is None:
            return self.repository(name)
        return self.create(
            name,
            mutability=TagMutability(
                template.get("imageTagMutability", "MUTABLE"), template.get("imageTagMutabilityExclusionFilters")
            ),
            encryption=template.get("encryptionConfiguration", {"encryptionType": "AES256"}),
            resource_tags={tag["Key"]: tag["Value"] for tag in template.get("resourceTags", [])},
            lifecycle=template.get("lifecyclePolicy") or None,
        )

    def can_mount(self, digest: str, source: str, target: Repository) -> bool:
        """Whether the layer may be mounted: setting on, in a committed image, encrypted with the same key."""
        giver = self.repositories.get(source)
        return (
            giver is not None
            and self.settings.account.get("BLOB_MOUNTING") == "ENABLED"
            and digest in giver.content.blobs
            and giver.content.is_referenced(digest)
            and giver.encryption == target.encryption
        )

    def _template(self, name: str) -> dict[str, Any] | None:
        matching = [
            (-1 if prefix == "ROOT" else len(prefix), template)
            for prefix, template in self.settings.templates.items()
            if CREATE_ON_PUSH in template["appliedFor"]
            and (prefix == "ROOT" or name.startswith(prefix.rstrip("/") + "/"))
        ]
        return max(matching, key=lambda match: match[0])[1] if matching else None
