import re
import signal
import subprocess
import sys
from functools import partial

import pytest

from glore_seg.errors import GloReSegError


@pytest.fixture
def web_demo(load_tool):
    main = load_tool("projects.web_demo.__main__")
    return lambda *arguments: main([str(argument) for argument in arguments])


def test_it_serves_until_interrupted(small_config, trained):
    httpx = pytest.importorskip("httpx", reason="gradio brings it")
    pytest.importorskip("gradio", reason="gradio is not installed: pip install 'glore_seg[demo]'")
    from projects.web_demo.tests.conftest import free_port

    command = [
        *(sys.executable, "-m", "projects.web_demo", "--checkpoint", trained / "iter_4.pth"),
        *("--config", small_config, "--device", "cpu", "--port", str(free_port())),
    ]
    # A shell's background job ignores SIGINT, and its children would, too.
    heeding = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=heeding) as served:
        try:
            said = next(line for line in served.stdout if "page is at" in line)
            address = re.search(r"http://127\.0\.0\.1:\d+/", said).group()
            assert httpx.get(address).status_code == 200
            served.send_signal(signal.SIGINT)
            assert served.wait(timeout=60) == 0
        finally:
            served.kill()  # what did not end, lest it be left behind


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (("--max-megabytes", 0), ValueError, "megabytes is 0.0; expected a limit above 0"),
        (("--checkpoint", "absent.pth"), GloReSegError, "absent.pth"),
        (("--port", 0), ValueError, "port is 0; expected 1 to 65535"),
    ],
)
def test_what_does_not_fit_is_refused(web_demo, small_config, trained, options, error, message):
    with pytest.raises(error, match=re.escape(message)):
        web_demo("--checkpoint", trained / "iter_4.pth", "--config", small_config, *options)
