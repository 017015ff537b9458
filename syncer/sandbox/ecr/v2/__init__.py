"""`/v2/` of ECR: the distribution protocol with ECR's habits."""
