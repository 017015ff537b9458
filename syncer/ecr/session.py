"""How boto3 reaches ECR for one target: its own credentials, region, proxy and endpoint.

Two partitions in one run are two targets with two sessions; no role of `aws` reaches `aws-cn`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials

from syncer.settings.timeouts import Timeouts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from syncer.settings.ecr_hosts import EcrHost
    from syncer.settings.secret import Secret


ONE_ATTEMPT = Config(
    retries={"total_max_attempts": 1, "mode": "standard"},  # repetition is decided in `attempts`
    max_pool_connections=16,
)


@dataclass(frozen=True, slots=True)
class AwsKeys:
    """Access keys that are given outright, instead of boto3's chain."""

    key_id: str
    secret: Secret


@dataclass(frozen=True, slots=True)
class AwsAccess:
    """Whose credentials to use, and the way to the API."""

    profile: str | None = None
    role_arn: str | None = None
    external_id: str | None = None
    keys: AwsKeys | None = None
    ca: str | None = None  # PEM bundle; None: botocore's own
    endpoints: Mapping[str, str] = field(default_factory=dict)  # where an endpoint really lives, by its URL
    timeouts: Timeouts = field(default_factory=Timeouts)
    proxy: Callable[[str], str | None] = lambda _url: None  # the proxy for a URL, by the rule that HTTP uses too


def ecr_client(host: EcrHost, access: AwsAccess) -> Any:
    """A boto3 ECR client for the registry `host`; blocks, so call it in a thread."""
    session = _session(host.region, access)
    if access.role_arn:
        _assume(session, access, access.role_arn)
    config = Config(use_fips_endpoint=host.fips, use_dualstack_endpoint=host.dual_stack)
    return _client(session, "ecr", access, config)


def _session(region: str, access: AwsAccess) -> boto3.Session:
    keys = access.keys
    return boto3.Session(
        aws_access_key_id=keys.key_id if keys else None,
        aws_secret_access_key=keys.secret.reveal() if keys else None,
        profile_name=access.profile,
        region_name=region,
    )


def _client(session: boto3.Session, service: str, access: AwsAccess, config: Config) -> Any:
    """A client that repeats nothing, dialled and proxied as the rest of the program is."""
    make: Any = session.client  # the stubs know each service by its literal name
    url = make(service, config=config).meta.endpoint_url
    dialled = access.endpoints.get(url, url)
    proxy = access.proxy(dialled)
    ways = Config(proxies={"http": proxy, "https": proxy} if proxy else {})
    patience = Config(connect_timeout=access.timeouts.connect, read_timeout=access.timeouts.headers)
    config = config.merge(ONE_ATTEMPT).merge(ways).merge(patience)
    return make(service, endpoint_url=dialled, verify=access.ca, config=config)


def _assume(session: boto3.Session, access: AwsAccess, role_arn: str) -> None:
    """Let `session` work as a role, renewing by itself; the role is assumed at the first call."""
    inner: Any = session._session  # noqa: SLF001 - boto3 has no public way to set refreshable credentials
    extra = {"RoleSessionName": "syncer"} | ({"ExternalId": access.external_id} if access.external_id else {})
    origin = _session(session.region_name, access)
    fetcher = AssumeRoleCredentialFetcher(
        client_creator=lambda service, **_: _client(origin, service, access, Config()),
        source_credentials=inner.get_credentials(),
        role_arn=role_arn,
        extra_args=extra,
    )
    inner._credentials = DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")  # noqa: SLF001 - the same
