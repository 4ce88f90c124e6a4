import asyncio

import pytest

from projects.web_demo.guard import Guard


def ask(
    path,
    *,
    method="GET",
    host="localhost:7860",
    origin=None,
    length=None,
    hosts=frozenset({"localhost"}),
):
    """Status, headers and whether the application was reached."""
    reached, sent = [], []

    async def app(scope, receive, send):
        reached.append(scope["path"])
        await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})
        await send({"type": "http.response.body", "body": b""})

    async def send(message):
        sent.append(message)

    headers = [(b"host", host.encode())]
    if origin is not None:
        headers.append((b"origin", origin.encode()))
    if length is not None:
        headers.append((b"content-length", str(length).encode()))
    scope = {"type": "http", "method": method, "path": path, "headers": headers}
    guard = Guard(app, upload_size=1000, hosts=hosts)
    asyncio.run(guard(scope, None, send))
    return sent[0]["status"], dict(sent[0]["headers"]), bool(reached)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/config",
        "/theme.css",
        "/assets/index-1a.js",
        "/static/fonts/x.woff2",
        "/gradio_api/queue/data",
        "/gradio_api/heartbeat/1a2b",
        "/gradio_api/startup-events",
    ],
)
def test_what_the_page_needs_passes(path):
    status, headers, reached = ask(path)
    assert (status, reached) == (200, True)
    assert headers[b"a"] == b"b"
    assert b"default-src 'self'" in headers[b"content-security-policy"]
    assert headers[b"x-content-type-options"] == b"nosniff"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/gradio_api/file=/etc/passwd"),
        ("GET", "/gradio_api/file=http://example.com/"),
        ("GET", "/gradio_api/proxy=http://example.com/"),
        ("GET", "/gradio_api/info"),
        ("GET", "/docs"),
        ("GET", "/assets/../../secret"),
        ("GET", "/assets/a%00b"),
        ("POST", "/gradio_api/call/segment"),
        ("POST", "/gradio_api/vibe-edit"),
        ("POST", "/"),
        ("PUT", "/"),
        ("DELETE", "/gradio_api/upload"),
    ],
)
def test_everything_else_is_not_found(method, path):
    assert ask(path, method=method, length=1)[::2] == (404, False)


def test_uploads_have_a_length_within_the_limit():
    post = {"path": "/gradio_api/upload", "method": "POST"}
    assert ask(**post, length=101_000)[::2] == (200, True)
    assert ask(**post, length=101_001)[::2] == (413, False)
    assert ask(**post)[::2] == (411, False)
    assert ask(**post, length="-1")[::2] == (411, False)


def test_foreign_names_do_not_reach_a_server_on_loopback():
    assert ask("/", host="LOCALHOST")[::2] == (200, True)
    assert ask("/", host="evil.example:7860")[::2] == (421, False)
    assert ask("/", host="")[::2] == (421, False)
    assert ask("/", host="evil.example", hosts=None)[::2] == (200, True)


def test_foreign_pages_post_nothing_to_a_server_on_loopback():
    post = {"path": "/gradio_api/upload", "method": "POST", "length": 1}
    assert ask(**post, origin="http://LOCALHOST:7860")[::2] == (200, True)
    for origin in ("http://evil.example", "http://localhost:1", "null", "", "http://["):
        assert ask(**post, origin=origin)[::2] == (403, False)
    assert ask(**post, origin="https://proxy.example", hosts=None)[::2] == (200, True)


def test_sockets_are_closed_and_the_life_of_the_server_goes_on():
    reached = []

    async def app(scope, receive, send):
        reached.append(scope["type"])

    guard = Guard(app, upload_size=1)
    for kind in ("websocket", "lifespan"):
        asyncio.run(guard({"type": kind}, None, None))
    assert reached == ["lifespan"]
