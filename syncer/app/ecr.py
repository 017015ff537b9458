"""How an ECR registry is put together: the AWS API and /v2/, with one set of AWS credentials for both."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from syncer.ecr.api import Api
from syncer.ecr.keychain import EcrKeychain
from syncer.ecr.pace import Pace
from syncer.ecr.registry import EcrRegistry
from syncer.ecr.session import AwsAccess, AwsKeys, ecr_client
from syncer.errors import Bug
from syncer.oci.origin import Origin
from syncer.registry.plain import PlainRegistry
from syncer.settings.ecr_hosts import EcrHost, parse_host
from syncer.settings.proxies import proxy_for
from syncer.settings.targets import TargetSettings

if TYPE_CHECKING:
    from syncer.app.parts import Parts
    from syncer.content.places import Registry
    from syncer.credentials.keychain import Keychain
    from syncer.settings.registries import Endpoint


def registry(target: TargetSettings, parts: Parts) -> Registry:
    """The ECR registry that `target` describes."""
    endpoint = parts.endpoint(target.registry)
    api = _api(target, endpoint, parts)
    given = parts.given(endpoint)
    client = parts.clients.client(endpoint, given or EcrKeychain(api, endpoint.origin, parts.outside.clock))
    over_http = PlainRegistry(target.registry, endpoint, client, parts.clients.hosts.of(endpoint.name))
    return EcrRegistry(over_http, api, target.repositories)


def keychain(endpoint: Endpoint, parts: Parts) -> Keychain:
    """The password of an ECR registry that is read from, by the credentials of a target there, or the default ones."""
    host = endpoint.origin.netloc
    same = [target for target in parts.settings.targets.values() if target.registry == host]
    target = same[0] if same else TargetSettings(host, host)
    return EcrKeychain(_api(target, endpoint, parts), endpoint.origin, parts.outside.clock)


def _api(target: TargetSettings, endpoint: Endpoint, parts: Parts) -> Api:
    host = parse_host(target.registry)
    if host is None:
        raise Bug(f"{target.registry} is not an ECR host")
    access = _access(target, endpoint, parts)
    return Api(lambda: ecr_client(host, access), host.account, target.registry, _pace(host, parts), parts.outside.clock)


def _access(target: TargetSettings, endpoint: Endpoint, parts: Parts) -> AwsAccess:
    outside = parts.outside
    return AwsAccess(
        profile=target.profile if outside.aws_keys is None else None,
        role_arn=target.role_arn if outside.aws_keys is None else None,
        external_id=target.external_id,
        keys=AwsKeys(*outside.aws_keys) if outside.aws_keys else None,
        ca=str(endpoint.tls.ca) if endpoint.tls.ca else None,
        timeouts=endpoint.timeouts,
        endpoints={str(origin): str(real) for origin, real in outside.dial.items()},
        proxy=lambda url: proxy_for(Origin.of_url(url), endpoint.proxy, outside.environ),
    )


def _pace(host: EcrHost, parts: Parts) -> Pace:
    """One pace per account and region, however many targets are there."""
    key = dataclasses.replace(host, fips=False, dual_stack=False)
    return parts.paces.setdefault(key, Pace(parts.outside.ecr_share))
