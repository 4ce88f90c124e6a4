import os
import re
import signal
import socket
import subprocess
import sys
from functools import partial

import pytest

from glore_seg.errors import ConfigError, GloReSegError, OutputError
from projects.web_demo.handlers import Handlers
from projects.web_demo.serving import LOOPBACK, TEMPLATES, serving
from tests.forked import free_port

httpx = pytest.importorskip("httpx", reason="gradio brings it")
pytest.importorskip("gradio", reason="gradio is not installed: pip install 'glore_seg[demo]'")


def test_serves_the_page_and_no_files(address, checkpoints, small_config):
    found = httpx.get(address)
    assert found.status_code == 200
    # resources of other servers
    loaded = re.findall(r'<(?:script|link)[^>]+(?:src|href)="(https?:)?//', found.text)
    assert loaded == []
    for file in (small_config, checkpoints[0], "/etc/passwd", "setup.cfg", __file__):
        assert httpx.get(f"{address}/gradio_api/file={file}").status_code in (403, 404)
    assert httpx.get(address, headers={"host": "evil.example"}).status_code == 400


@pytest.mark.parametrize("name", ["viewer.html", "viewer.css"])
def test_templates_have_no_placeholders_of_gradio(name):
    text = (TEMPLATES / name).read_text()
    assert [sign for sign in ("${", "{{", "`", "@children") if sign in text] == []


def test_uploads_are_private_and_limited(address):
    files = {"files": ("../../evil.png", b"x" * 100)}
    (path,) = httpx.post(f"{address}/gradio_api/upload", files=files).json()
    assert os.path.basename(path) == "evil.png"
    folder = os.path.realpath(os.environ["GRADIO_TEMP_DIR"])
    assert os.path.realpath(path).startswith(folder + os.sep)
    assert os.stat(folder).st_mode & 0o077 == 0
    files = {"files": ("large.png", bytes(600_000))}
    assert httpx.post(f"{address}/gradio_api/upload", files=files).status_code == 413


def test_rejects_requests_for_files_of_the_server(address, small_config):
    config = httpx.get(f"{address}/config").json()
    (index,) = [d["id"] for d in config["dependencies"] if d["api_name"] == "segment"]
    data = {"path": small_config, "meta": {"_type": "gradio.FileData"}}
    question = {"data": [data, "first", "no other"], "fn_index": index, "session_hash": "a1"}
    asked = httpx.post(f"{address}/gradio_api/queue/join", json=question)
    assert asked.status_code == 200
    with httpx.stream("GET", f"{address}/gradio_api/queue/data?session_hash=a1") as answers:
        said = next(line for line in answers.iter_lines() if "process_completed" in line)
    assert '"success":false' in said
    assert os.path.dirname(small_config) not in said
    assert "Traceback" not in said


def test_the_folder_is_removed_with_the_server(models, monkeypatch):
    monkeypatch.setenv("GRADIO_ANALYTICS_ENABLED", "True")
    before = dict(os.environ)
    port = free_port()
    with serving(Handlers(models), port=port) as address:
        monkeypatch.setenv("SET_MEANWHILE", "1")
        folder = os.environ["GRADIO_TEMP_DIR"]
        assert os.environ["GRADIO_ANALYTICS_ENABLED"] == "False"
        assert address == f"http://{LOOPBACK}:{port}/"
        again = serving(Handlers(models), port=port)
        with pytest.raises(OutputError, match=f"{LOOPBACK}, port {port}"):
            again.__enter__()
    assert not os.path.exists(folder)
    assert dict(os.environ) == {**before, "SET_MEANWHILE": "1"}
    with socket.socket() as free:
        free.bind((LOOPBACK, port))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (("--checkpoint", "absent.pth"), GloReSegError, "absent.pth"),
        (("--port", 0), ConfigError, "port is 0"),
    ],
)
def test_rejects_options(load_tool, checkpoints, options, error, message):
    arguments = "--checkpoint", checkpoints[0], *options
    with pytest.raises(error, match=re.escape(message)):
        load_tool("projects.web_demo.__main__")([str(argument) for argument in arguments])


@pytest.mark.slow
def test_the_command_serves_until_interrupted(checkpoints):
    command = [sys.executable, "-m", "projects.web_demo", "--checkpoint", checkpoints[0]]
    command += ["--device", "cpu", "--port", str(free_port())]
    # A background job of a shell ignores SIGINT, and so would its children.
    reset = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=reset) as server:
        try:
            line = next(line for line in server.stdout if "page is at" in line)
            address = re.search(r"http://127\.0\.0\.1:\d+/", line).group()
            assert httpx.get(address).status_code == 200
            server.send_signal(signal.SIGINT)
            assert server.wait(timeout=60) == 0
        finally:
            server.kill()
