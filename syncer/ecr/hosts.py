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

    Credentials of ECR are only ever sent to hosts that this function knows, so it matches the whole name.
    """
    match = _HOST.fullmatch(host)
    if match is None:
        return None
    dual_stack = match["suffix"].startswith("on.")
    return EcrHost(match["account"], match["region"], fips=match["fips"] is not None, dual_stack=dual_stack)
