"""How AWS names things in a region: hosts, ARNs and URIs, by partition."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.regions import EndpointResolver


def _loader() -> Loader:
    """Botocore's own data only: neither ~/.aws/models nor AWS_DATA_PATH is looked at."""
    return Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)


@cache
def service_model(service: str) -> ServiceModel:
    """What AWS publishes about the requests and answers of `service`."""
    return ServiceModel(_loader().load_service_model(service, "service-2"), service_name=service)


@cache
def _resolver() -> EndpointResolver:
    return EndpointResolver(_loader().load_data("endpoints"))


@dataclass(frozen=True, slots=True)
class RegionNames:
    """The names of one region, such as cn-north-1 of the partition aws-cn."""

    region: str
    partition: str
    suffix: str

    @classmethod
    def of(cls, region: str) -> RegionNames:
        """Look `region` up in botocore's partitions."""
        partition = _resolver().get_partition_for_region(region)
        return cls(region, partition, str(_resolver().get_partition_dns_suffix(partition)))

    @property
    def api_host(self) -> str:
        """Where the AWS API of ECR is."""
        return f"api.ecr.{self.region}.{self.suffix}"

    @property
    def sts_host(self) -> str:
        """Where the regional STS is."""
        return f"sts.{self.region}.{self.suffix}"

    @property
    def bucket_host(self) -> str:
        """Where layers are downloaded from."""
        return f"prod-{self.region}-starport-layer-bucket.s3.{self.region}.{self.suffix}"

    def registry_host(self, account: str) -> str:
        """Where `/v2/` of an account is."""
        return f"{account}.dkr.ecr.{self.region}.{self.suffix}"

    def others(self, host: str) -> tuple[str, ...]:
        """The dual-stack and the FIPS name of one of the hosts above, as botocore writes them."""
        where, first = f".{self.region}.", host.removesuffix(f".{self.region}.{self.suffix}")
        stacks = "amazonwebservices.com.cn" if self.partition == "aws-cn" else "aws"
        if first.endswith(".dkr.ecr"):
            return f"{first.replace('.dkr.', '.dkr-')}{where}on.{stacks}", f"{first}-fips{where}{self.suffix}"
        if first in {"api.ecr", "sts"}:
            service = first.removeprefix("api.")
            return f"{service}{where}api.{stacks}", f"{service}-fips{where}{self.suffix}"
        return ()

    def repository_arn(self, account: str, name: str) -> str:
        """The ARN of a repository."""
        return f"arn:{self.partition}:ecr:{self.region}:{account}:repository/{name}"

    def repository_uri(self, account: str, name: str) -> str:
        """What stands before the tag in an image reference."""
        return f"{self.registry_host(account)}/{name}"
