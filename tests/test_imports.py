"""Importing the package and each of its modules does nothing but import."""

import json
import subprocess
import sys

import pytest

HOOK = """
import importlib, json, os, pkgutil, sys
import matplotlib.font_manager  # which asks fc-list for fonts, the first time on a machine

FORBIDDEN = (
    "socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto", "urllib.Request",
    "http.client.connect", "subprocess.Popen", "os.system", "os.exec", "os.spawn",
    "os.posix_spawn", "os.fork", "os.forkpty", "pickle.find_class", "webbrowser.open",
)
found, package = [], os.sep + "glore_seg" + os.sep


def hook(event, args):
    if event in FORBIDDEN:
        found.append(f"{event} {args!r:.200}")
    elif event in ("exec", "compile") and package in sys._getframe(1).f_code.co_filename:
        found.append(f"{event} {args!r:.200} by {sys._getframe(1).f_code.co_filename}")


sys.addaudithook(hook)
"""
IMPORTS = """
import glore_seg

names = [
    module.name
    for module in pkgutil.walk_packages(glore_seg.__path__, "glore_seg.")
    if not module.name.endswith("__main__")  # which is a command
]
for name in names:
    importlib.import_module(name)
print(json.dumps({"found": found, "modules": len(names)}))
"""


def run(script):
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_nothing_that_only_some_functions_use():
    used_late = ("matplotlib", "jinja2", "tensorboard", "onnx", "gradio", "av")
    script = (
        f"import json, sys, glore_seg; print(json.dumps([m in sys.modules for m in {used_late}]))"
    )
    assert run(script) == [False] * len(used_late)


DEEDS = """
import pickle, socket, subprocess
subprocess.run(["true"])
pickle.loads(pickle.dumps(print))
try:
    socket.create_connection(("127.0.0.1", 9), timeout=1)
except OSError:
    pass
exec(compile("eval('1')", "/glore_seg/of_the_package.py", "exec"))
print(json.dumps({"found": found}))
"""


@pytest.mark.slow
def test_no_network_no_process_no_pickle_and_no_eval():
    said = run(HOOK + IMPORTS)
    assert said["found"] == []
    assert said["modules"] > 150


def test_what_is_looked_for_would_be_found():
    found = {each.split(" ")[0] for each in run(HOOK + DEEDS)["found"]}
    assert found == {
        *("subprocess.Popen", "pickle.find_class", "socket.getaddrinfo", "socket.connect"),
        *("compile", "exec"),
    }
