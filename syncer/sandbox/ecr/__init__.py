"""Amazon ECR on loopback: the AWS API and `/v2/` over one store per (account, region)."""
