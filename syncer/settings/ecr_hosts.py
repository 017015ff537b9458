"""Which hosts are Amazon ECR, and what their names say."""

from __future__ import annotations

import re
from dataclasses import dataclass

# The forms that the official credential helper accepts. Source: amazon-ecr-credential-helper, ecr-login/api/client.go,
# and AWS General Reference, "Amazon ECR endpoints". Always matched whole: what follows the suffix is another host.
_HOST = re.compile(
    r"(?P<account>[0-9]{12})\.dkr[.-]ecr(?P<fips>-fips)?\.(?P<region>[a-z0-9][a-z0-9-]*)\."
    r"(?P<suffix>amazonaws\.com|amazonaws\.com\.cn|amazonaws\.eu|on\.aws|on\.amazonwebservices\.com\.cn"
    r"|sc2s\.sgov\.gov|c2s\.ic\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov)"
)
_LIKE = re.compile(r"\.dkr[.-]ecr(?:-fips)?\.")
_PARTITIONS = {  # the suffixes of a partition, by how its regions begin. Source: botocore, partitions.json
    "cn-": ("amazonaws.com.cn", "on.amazonwebservices.com.cn"),
    "us-iso-": ("c2s.ic.gov",),
    "us-isob-": ("sc2s.sgov.gov",),
    "us-isof-": ("csp.hci.ic.gov",),
    "eu-isoe-": ("cloud.adc-e.uk",),
    "eusc-": ("amazonaws.eu",),
}
_COMMERCIAL = ("amazonaws.com", "on.aws")
PUBLIC_HOSTS = frozenset({"public.ecr.aws", "ecr-public.aws.com"})


@dataclass(frozen=True, slots=True)
class EcrHost:
    """A private registry of Amazon ECR."""

    account: str  # 12 digits: the registry id
    region: str
    fips: bool = False
    dual_stack: bool = False


def parse_host(host: str) -> EcrHost | None:
    """What an ECR host name says; None for every other host, ECR Public included.

    Credentials of ECR are only ever sent to hosts that this function knows, so it matches the whole name, and the
    region must belong to the partition that the suffix names.
    """
    match = _HOST.fullmatch(host)
    if match is None or match["suffix"] not in _suffixes(match["region"]):
        return None
    dual_stack = match["suffix"].startswith("on.")
    return EcrHost(match["account"], match["region"], fips=match["fips"] is not None, dual_stack=dual_stack)


def almost(host: str) -> str | None:
    """Why a host that looks like ECR is none; None for ECR's hosts, and for those that look like something else."""
    if parse_host(host) or not _LIKE.search(host):
        return None
    match = _HOST.fullmatch(host)
    if match is None:
        return "an ECR host is ACCOUNT.dkr.ecr.REGION.amazonaws.com, in China .amazonaws.com.cn; ACCOUNT has 12 digits"
    known = _suffixes(match["region"])
    suffix = known[-1] if match["suffix"].startswith("on.") else known[0]
    return f"{match['region']} is in another partition; did you mean {host.removesuffix(match['suffix'])}{suffix}?"


def _suffixes(region: str) -> tuple[str, ...]:
    return next((known for start, known in _PARTITIONS.items() if region.startswith(start)), _COMMERCIAL)
