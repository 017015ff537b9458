"""Registries over HTTP: a client per endpoint, a repository, and an origin with its mirrors."""
