"""What can happen to a request: each function makes the action of a Fault."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from syncer.sandbox.answers import Answer, answer, redirect, refusal, text_answer
from syncer.sandbox.faults import DroppedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from aiohttp import web

    from syncer.sandbox.faults import Action, Proceed


def reply(status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Action:
    """That answer, and nothing done."""

    async def act(_request: web.Request, _proceed: Proceed) -> Answer:
        return answer(status, body, headers)

    return act


def too_many(retry_after: str | None = None) -> Action:
    """429 in the specification's envelope, with Retry-After as given."""

    async def act(_request: web.Request, _proceed: Proceed) -> Answer:
        made = refusal(429, "TOOMANYREQUESTS", "Rate exceeded")
        if retry_after is not None:
            made.headers["Retry-After"] = retry_after
        return made

    return act


def hub_abuse() -> Action:
    """Docker Hub's other 429 (the first is in its budget): too many requests from one address."""

    async def act(_request: web.Request, _proceed: Proceed) -> Answer:
        return text_answer(429, "Too Many Requests (HAP429).\n", {"Retry-After": "60"})

    return act


def html(status: int = 200) -> Action:
    """A page where an API should be: a captive portal, a parked domain, a block page."""
    page = b"<!DOCTYPE html><html><body>Welcome. Please sign in.</body></html>"
    return reply(status, page, {"Content-Type": "text/html; charset=utf-8"})


def redirect_to(location: str, status: int = 302) -> Action:
    """A redirect to anywhere."""

    async def act(_request: web.Request, _proceed: Proceed) -> Answer:
        return redirect(location, status)

    return act


def redirect_loop() -> Action:
    """A redirect to the same URL."""

    async def act(request: web.Request, _proceed: Proceed) -> Answer:
        return redirect(request.path_qs, 302)

    return act


def reset() -> Action:
    """The connection is reset, and nothing done."""

    async def act(_request: web.Request, _proceed: Proceed) -> Answer:
        raise DroppedError

    return act


def lose_answer() -> Action:
    """The deed is done, and the connection reset before the answer."""

    async def act(request: web.Request, proceed: Proceed) -> Answer:
        await proceed(request)
        raise DroppedError

    return act


def hang() -> Action:
    """No answer, for as long as the client waits."""

    async def act(_request: web.Request, _proceed: Proceed) -> Answer:
        await asyncio.Event().wait()
        raise DroppedError

    return act


def then(deed: Callable[[], object]) -> Action:
    """The right answer, and afterwards the world changes: a tag moves, a repository goes away."""

    async def act(request: web.Request, proceed: Proceed) -> Answer:
        made = await proceed(request)
        deed()
        return made

    return act


def headers(change: Mapping[str, str | None]) -> Action:
    """The answer with these headers set, or removed where None."""

    async def act(request: web.Request, proceed: Proceed) -> Answer:
        made = await proceed(request)
        for name, value in change.items():
            made.headers.popall(name, None)
            if value is not None:
                made.headers[name] = value
        return made

    return act


def ignore_range() -> Action:
    """200 and all bytes, whatever Range was asked for."""

    async def act(request: web.Request, proceed: Proceed) -> Answer:
        kept = request.headers.copy()
        kept.popall("Range", None)
        return await proceed(request.clone(headers=kept))

    return act


def cut(at: int) -> Action:
    """The connection is closed after `at` bytes of the body, although more were announced."""

    async def body(whole: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for piece in _until(whole, at):
            yield piece
        raise DroppedError(gently=True)

    return _altered(body)


def stall(at: int = 0) -> Action:
    """After the headers and `at` bytes nothing comes any more."""

    async def body(whole: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for piece in _until(whole, at):
            yield piece
        await asyncio.Event().wait()

    return _altered(body)


def trickle(size: int, seconds: float) -> Action:
    """`size` bytes every `seconds`."""

    async def body(whole: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for piece in whole:
            for at in range(0, len(piece), size):
                yield piece[at : at + size]
                await asyncio.sleep(seconds)

    return _altered(body)


def flip(at: int) -> Action:
    """One bit of the `at`-th byte is another."""

    async def body(whole: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        begin = 0
        async for piece in whole:
            changed = bytearray(piece)
            if begin <= at < begin + len(piece):
                changed[at - begin] ^= 1
            begin += len(piece)
            yield bytes(changed)

    return _altered(body)


def replace(data: bytes) -> Action:
    """Other bytes under the right headers; the length is theirs."""

    async def act(request: web.Request, proceed: Proceed) -> Answer:
        made = await proceed(request)
        other = answer(made.status, data)
        made.headers["Content-Length"] = str(len(data))
        made.body = other.body
        return made

    return act


def reserialise(change: Callable[[bytes], bytes]) -> Action:
    """The body as `change` writes it, under the old headers but the length."""

    async def act(request: web.Request, proceed: Proceed) -> Answer:
        made = await proceed(request)
        data = change(b"".join([piece async for piece in made.body]))
        made.headers["Content-Length"] = str(len(data))
        made.body = answer(made.status, data).body
        return made

    return act


def _altered(body: Callable[[AsyncIterator[bytes]], AsyncIterator[bytes]]) -> Action:
    async def act(request: web.Request, proceed: Proceed) -> Answer:
        made = await proceed(request)
        made.body = body(made.body)
        return made

    return act


async def _until(whole: AsyncIterator[bytes], at: int) -> AsyncIterator[bytes]:
    left = at
    async for piece in whole:
        if left <= 0:
            return
        yield piece[:left]
        left -= len(piece)
