"""Clients of the sandbox's ECR for tests: the real boto3, and `/v2/` in plain aiohttp."""

from __future__ import annotations

import asyncio
import io
import re

import aiohttp
import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from syncer.sandbox.documents import digest_of
from syncer.sandbox.images import layer, single

EMPTY = digest_of(b"")


class Api:
    """A boto3 client whose calls are awaited: `await api.list_images(repositoryName="r")`."""

    def __init__(self, service, url, region, access_key="AKIATEST", session_token=None):
        session = boto3.Session(access_key, "secret", session_token, region_name=region)
        config = Config(retries={"total_max_attempts": 1})
        self._client = session.client(service, endpoint_url=url, config=config)

    def __getattr__(self, operation):
        async def call(**given):
            return await asyncio.to_thread(getattr(self._client, operation), **given)

        return call

    async def error(self, operation, **given):
        """The code and the message of the refusal that must come."""
        try:
            answer = await getattr(self, operation)(**given)
        except ClientError as exc:
            return exc.response["Error"]["Code"], exc.response["Error"]["Message"]
        raise AssertionError(f"{operation} was not refused: {answer}")


class Reply:
    """A status, headers and a body that has been read."""

    def __init__(self, response, body):
        self.status, self.headers, self.body = response.status, response.headers, body

    @property
    def text(self):
        return self.body.decode()

    @property
    def refusal(self):
        return self.status, re.search(r'"code": "(\w+)"', self.text)[1]


class V2:
    """`/v2/` with a token; redirects are not followed, nothing is repeated."""

    def __init__(self, session, url, authorization):
        self._session, self.url, self.authorization = session, url, authorization

    async def __call__(self, method, path, authorization="", **kwargs):
        url = path if path.startswith("http") else self.url + path
        headers = {"Authorization": authorization or self.authorization, **kwargs.pop("headers", {})}
        if isinstance(kwargs.get("data"), bytes):
            kwargs["data"] = io.BytesIO(kwargs["data"])
        headers = {name: value for name, value in headers.items() if value is not None}
        async with self._session.request(method, url, headers=headers, allow_redirects=False, **kwargs) as response:
            return Reply(response, await response.read())

    async def open(self, repository, query=""):
        """The Location of a new upload session."""
        reply = await self("POST", f"/v2/{repository}/blobs/uploads/{query}")
        assert reply.status == 202
        return reply.headers["Location"]

    async def put_blob(self, repository, data, digest=None):
        location = await self.open(repository)
        return await self("PUT", finishing(location, digest or digest_of(data)), data=data)

    async def put_manifest(self, repository, image, reference=None):
        path = f"/v2/{repository}/manifests/{reference or image.digest}"
        return await self("PUT", path, data=image.raw, headers={"Content-Type": image.media_type})

    async def push(self, repository, image, tag=None):
        """Blobs, children, then the manifest; the last answer."""
        for blob in image.blobs:
            assert (await self.put_blob(repository, blob.data)).status == 201
        for child in image.children:
            assert (await self.push(repository, child)).status == 201
        return await self.put_manifest(repository, image, tag)


def finishing(location, digest):
    """The URL that ends an upload; a Location may have a query already."""
    return f"{location}{'&' if '?' in location else '?'}digest={digest}"


def small(name="app"):
    """An image with one small layer of its own."""
    return single("linux/amd64", [layer(name, 1_000)])


def connected():
    """A session without proxies, cookies or a retry of its own."""
    session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False)
    session._retry_connection = False
    return session
