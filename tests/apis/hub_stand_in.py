"""As much of the Hugging Face hub's HTTP interface as a push and a pull of small files need."""

import base64
import hashlib
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

REVISION = "0" * 40


class Hub(ThreadingHTTPServer):
    """Serves what was committed to it; ``files`` is the whole of its one repository."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/api/repos/create":
            self._json({"url": f"{self.server.address}/me/net"})
        elif self.path == "/api/validate-yaml":
            self._json({"warnings": [], "errors": []})
        elif "/preupload/" in self.path:
            names = [each["path"] for each in json.loads(body)["files"]]
            ways = [{"path": n, "uploadMode": "regular", "shouldIgnore": False} for n in names]
            self._json({"files": ways})
        elif "/commit/" in self.path:
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    content = base64.b64decode(line["value"]["content"])
                    self.server.files[line["value"]["path"]] = content
            self._json(
                {"commitUrl": f"{self.server.address}/me/net/commit/1", "commitOid": REVISION}
            )
        else:
            self._json({"error": "no such thing"}, status=404)

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        name = self.path.split("?")[0].rsplit("/", 1)[-1]
        if self.path.startswith("/api/models/me/net/tree/"):
            self._json(
                [
                    {"type": "file", "path": n, "size": len(c), "oid": _oid(c)}
                    for n, c in self.server.files.items()
                ]
            )
        elif self.path.startswith(("/api/models/me/net/revision/main", "/api/models/me/net")):
            siblings = [{"rfilename": n} for n in self.server.files]
            self._json({"id": "me/net", "sha": REVISION, "siblings": siblings})
        elif "/me/net/resolve/" in self.path and name in self.server.files:
            self._send(self.server.files[name], ETag=f'"{_oid(self.server.files[name])}"')
        else:
            self._json({"error": "Repository not found"}, status=404)

    do_HEAD = do_GET

    def _json(self, value: object, status: int = 200) -> None:
        self._send(json.dumps(value).encode(), status, **{"Content-Type": "application/json"})

    def _send(self, content: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        headers = {"Content-Length": str(len(content)), "X-Repo-Commit": REVISION, **headers}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


def _oid(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()
