"""Visits to the web demo, with valid and invalid requests."""

import json
from itertools import count
from pathlib import Path

import httpx


class Visitor:
    """A client of the web demo.

    Args:
        address: Address of the web demo.
        image: Image to upload at each visit.
    """

    def __init__(self, address: str, image: Path) -> None:
        self._address = address
        self._image = image.read_bytes()
        self._sessions = count()
        with httpx.Client(base_url=address, timeout=60) as client:
            config = client.get("/config").json()
        self._questions = {d["api_name"]: d["id"] for d in config["dependencies"]}
        self._model = next(
            c["props"]["value"] for c in config["components"] if c["props"].get("label") == "Model"
        )

    def visit(self) -> None:
        """Make two valid requests and five invalid ones.

        Raises:
            RuntimeError: A response has an unexpected status.
        """
        session = f"visitor{next(self._sessions)}"
        with httpx.Client(base_url=self._address, timeout=60) as client:
            _require(client.get("/"), 200)
            with client.stream("GET", f"/gradio_api/heartbeat/{session}") as heart:
                _require(heart, 200)
                self._ask(client, session, self._image, "street.png", True)
                self._ask(client, session, b"no image", "no.png", True)
                stolen = {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}
                self._question(client, session, stolen, False)
            _require(client.get("/gradio_api/file=/etc/passwd"), 403)
            _require(client.get("/", headers={"host": "evil.example"}), 400)
            large = {"files": ("large.png", bytes(1_000_000))}
            _require(client.post("/gradio_api/upload", files=large), 413)
            _require(client.post("/gradio_api/queue/join", content=b"{"), 422)

    def _ask(
        self, client: httpx.Client, session: str, content: bytes, name: str, success: bool
    ) -> None:
        answer = client.post("/gradio_api/upload", files={"files": (name, content)})
        _require(answer, 200)
        (path,) = answer.json()
        data = {"path": path, "orig_name": name, "meta": {"_type": "gradio.FileData"}}
        self._question(client, session, data, success)

    def _question(self, client: httpx.Client, session: str, file: dict, success: bool) -> None:
        question = {
            "data": [file, self._model, "no other"],
            "fn_index": self._questions["segment"],
            "session_hash": session,
        }
        _require(client.post("/gradio_api/queue/join", json=question), 200)
        with client.stream("GET", f"/gradio_api/queue/data?session_hash={session}") as answers:
            for line in answers.iter_lines():
                if "process_completed" in line:
                    answer = json.loads(line.removeprefix("data:"))
                    if answer["success"] != success:
                        raise RuntimeError(f"{file}: {line}")
                    return
        raise RuntimeError(f"{file}: no answer")


def _require(answer: httpx.Response, status: int) -> None:
    if answer.status_code != status:
        raise RuntimeError(f"{answer.request.url}: {answer.status_code}; expected {status}")
