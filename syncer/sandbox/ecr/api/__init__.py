"""The AWS API of ECR: JSON 1.1, SigV4, held against botocore's service model."""
