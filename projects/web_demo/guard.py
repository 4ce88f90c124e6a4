"""What the server answers at all: its own front end and the page's own questions.

gradio serves more than this page needs: uploads, files, a proxy to other hosts, an API. What is
not named here is not found.
"""

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

_GET = re.compile(
    r"/|/config/?|/theme\.css|/favicon\.ico|/manifest\.json|/(assets|static|svelte)/[\w./-]+"
    r"|/gradio_api/(startup-events|queue/data|upload_progress|heartbeat/\w+|theme\.css)"
)
_POST = re.compile(r"/gradio_api/(queue/join|upload|cancel|reset)/?")
_OVERHEAD = 100_000  # bytes of a request around an upload
_HEADERS = {
    # gradio evaluates templates and sets styles within its page; all else is its own host's
    "content-security-policy": "default-src 'self'; script-src 'self' 'unsafe-inline' "
    "'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' "
    "data:; worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


class Guard:
    """An ASGI middleware that lets through what the page needs, and nothing else.

    Answers 404 to other paths, 411 and 413 to what is sent without its length or is too long; on
    loopback 403 to what a page of another server sends, and 421 to a host name that is not the
    server's, so that no foreign page reaches it by a name of its own.

    Args:
        app: The application.
        upload_size: Bytes that an upload may have.
        hosts: Names that the server goes by, without port; None for any.
    """

    def __init__(self, app: App, *, upload_size: int, hosts: frozenset[str] | None = None) -> None:
        self._app = app
        self._longest = upload_size + _OVERHEAD
        self._hosts = hosts

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            await _answer(send, *refusal)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [(k.encode(), v.encode()) for k, v in _HEADERS.items()]
                message = {**message, "headers": [*message.get("headers", []), *headers]}
            await send(message)

        await self._app(scope, receive, send_with_headers)

    def _refusal(self, scope: Message) -> tuple[int, str] | None:
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        host = re.sub(r":\d+$", "", headers.get("host", "")).lower()
        if self._hosts is not None and host not in self._hosts:
            return 421, "This server does not go by that name."
        method, path = scope["method"], scope["path"]
        if ".." in path:
            return 404, "Not found"
        if method in ("GET", "HEAD"):
            return None if _GET.fullmatch(path) else (404, "Not found")
        if method != "POST" or not _POST.fullmatch(path):
            return 404, "Not found"
        # a foreign page may post to loopback, though it cannot read the answer
        own = self._hosts is None or _is_of(headers.get("origin"), headers.get("host", ""))
        if not own:
            return 403, "This page belongs to another server."
        length = headers.get("content-length", "")
        if not length.isdecimal():
            return 411, "The length of the request is missing."
        if int(length) > self._longest:
            return 413, "The file is too large."
        return None


def _is_of(origin: str | None, host: str) -> bool:
    """Whether a request comes from a page of this host, or from no page."""
    return origin is None or origin.lower().partition("://")[2] == host.lower()


async def _answer(send: Send, status: int, text: str) -> None:
    body = text.encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
