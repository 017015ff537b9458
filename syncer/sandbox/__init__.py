"""An embedded world of registries on loopback: Docker Hub, mirrors, plain registries and ECR regions.

It shares no parser and no protocol code with the client, so that both cannot have the same bug.
"""
