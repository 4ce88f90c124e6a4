"""Arrays and scalars of numbers come out of a pickle; nothing that NumPy would trust does."""

import io
import pickle
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import torch

from glore_seg import compat

compat.apply()

from glore_seg.compat.array_pickles import PickledArray  # noqa: E402
from glore_seg.compat.checkpoints import load_weights  # noqa: E402
from glore_seg.errors import CheckpointError  # noqa: E402


def put(value: object) -> bytes:
    """What pickles ``value``, without the head and the end."""
    return pickle.dumps(value, 2)[2:-1]


def call(name: str, *arguments: bytes) -> bytes:
    return f"c{name}\n".encode().replace(b":", b"\n") + b"(" + b"".join(arguments) + b"tR"


NDARRAY = b"cnumpy\nndarray\n"
POINTERS = call("_codecs:encode", put("A" * 32), put("latin1"))
OBJECTS = call("numpy:ndarray", put((4,)), put("O"), POINTERS)
FLOATS = call("numpy:dtype", put("f8"), put(False), put(True))
EIGHT = call("_codecs:encode", put("a" * 8), put("latin1"))
FOUR = call("_codecs:encode", put("a" * 4), put("latin1"))
EMPTY = call("numpy.core.multiarray:_reconstruct", NDARRAY, put((0,)), put("b"))


def content(*parts: bytes) -> bytes:
    return b"(" + b"".join(parts) + b"tb"


HOSTILE = {
    "array of pointers": OBJECTS,
    "pointers as a shape": call("numpy.core.multiarray:_reconstruct", NDARRAY, OBJECTS, put("b")),
    "array of our own class": call(
        "glore_seg.compat.array_pickles:PickledArray", put((4,)), put("O"), POINTERS
    ),
    "type of objects": call("numpy:dtype", put("O"), put(False), put(True)),
    "types in a row": call("numpy:dtype", put("f8,O"), put(False), put(True)),
    "type that lies about objects": FLOATS + put((3, "|", None, None, None, -1, -1, 63)) + b"b",
    "type with fields": FLOATS + put((3, "|", ("a",), {"a": 1}, None, 8, 1, 0)) + b"b",
    "objects as content": EMPTY
    + content(
        put(1),
        put((1,)),
        call("numpy:dtype", put("O"), put(False), put(True)),
        put(False),
        put([1]),
    ),
    "text as content": EMPTY + content(put(1), put((1,)), FLOATS, put(False), put("12345678")),
    "huge shape": EMPTY + content(put(1), put((2**62, 2**62)), FLOATS, put(False), FOUR),
    "negative shape": EMPTY + content(put(1), put((-1,)), FLOATS, put(False), EIGHT),
    "content twice": (EMPTY + content(put(1), put((1,)), FLOATS, put(False), EIGHT))
    + content(put(1), put((1,)), FLOATS, put(False), EIGHT),
    "short scalar": call("numpy.core.multiarray:scalar", FLOATS, FOUR),
    "changed function": b"cnumpy\nndarray\nN}" + put("__defaults__") + put(()) + b"s\x86b",
}


def checkpoint(payload: bytes) -> io.BytesIO:
    """A file as torch writes it, around a pickle of ours."""
    whole, forged = io.BytesIO(), io.BytesIO()
    torch.save({"a": torch.ones(1)}, whole)
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(forged, "w") as target:
        for name in source.namelist():
            is_pickle = name.endswith("data.pkl")
            target.writestr(name, b"\x80\x02" + payload + b"." if is_pickle else source.read(name))
    forged.seek(0)
    return forged


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_checkpoints_are_refused(kind):
    with pytest.raises(CheckpointError) as error:
        load_weights(checkpoint(HOSTILE[kind]))
    assert "Unsupported operand" not in str(error.value)  # or torch has not come that far


@pytest.mark.slow
def test_no_file_brings_the_process_down(tmp_path):
    """In a process of its own, since that is what is at stake."""
    for i, payload in enumerate(HOSTILE.values()):
        (tmp_path / f"{i}.pth").write_bytes(checkpoint(payload).getvalue())
        pickled = b"\x80\x02}" + put("w") + payload + b"s."
        (tmp_path / f"{i}.pdparams").write_bytes(pickled)
    code = (
        "import pathlib, sys, glore_seg\n"
        "from glore_seg.checkpoints import read_state_dict\n"
        "for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):\n"
        "    try:\n"
        "        read_state_dict(path)\n"
        "    except ValueError as error:\n"
        "        print(str(error)[:200])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("not") >= 2 * len(HOSTILE)


@pytest.mark.parametrize("order", ["<", ">"])
def test_arrays_and_scalars_of_numbers(order):
    values = {
        "floats": np.arange(6.0, dtype=f"{order}f8").reshape(2, 3),
        "columns": np.asfortranarray(np.arange(6, dtype=f"{order}i4").reshape(2, 3)),
        "truth": np.array([True, False]),
        "scalar": np.float32(1.5),
        "none": np.zeros((0, 3)),
    }
    file = io.BytesIO()
    torch.save(values, file)
    file.seek(0)
    found = load_weights(file)
    for name, value in values.items():
        assert np.array_equal(found[name], value), name
        assert found[name].dtype == value.dtype.newbyteorder("=")
    assert type(found["scalar"]) is np.float32
    assert found["columns"].flags.f_contiguous


def test_arrays_are_pickled_as_plain_ones():
    file = io.BytesIO()
    torch.save(np.arange(3), file)
    file.seek(0)
    found = load_weights(file)
    assert isinstance(found, PickledArray)
    again = pickle.loads(pickle.dumps(found))  # our own bytes
    assert type(again) is np.ndarray
    assert again.tolist() == [0, 1, 2]
