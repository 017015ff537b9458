"""Amazon ECR: its API, its credentials, its repositories."""
