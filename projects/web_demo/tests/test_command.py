import re
import signal
import subprocess
import sys
from functools import partial

import pytest

from glore_seg.errors import ConfigError, GloReSegError


@pytest.mark.slow
def test_serves_until_interrupted(small_config, trained):
    httpx = pytest.importorskip("httpx", reason="gradio brings it")
    pytest.importorskip("gradio", reason="gradio is not installed: pip install 'glore_seg[demo]'")
    from projects.web_demo.tests.conftest import free_port

    command = [
        *(sys.executable, "-m", "projects.web_demo", "--checkpoint", trained / "iter_4.pth"),
        *("--config", small_config, "--device", "cpu", "--port", str(free_port())),
    ]
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


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (("--max-megabytes", 0), ConfigError, "megabytes=0.0"),
        (("--checkpoint", "absent.pth"), GloReSegError, "absent.pth"),
        (("--port", 0), ConfigError, "port is 0"),
    ],
)
def test_rejects_options(load_tool, small_config, trained, options, error, message):
    arguments = "--checkpoint", trained / "iter_4.pth", "--config", small_config, *options
    with pytest.raises(error, match=re.escape(message)):
        load_tool("projects.web_demo.__main__")([str(argument) for argument in arguments])
