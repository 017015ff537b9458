"""Mirrors container images into Amazon ECR."""

__version__ = "0.1.0"
