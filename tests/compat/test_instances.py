"""mmengine's lock is given back by what could not make or find an instance."""

import threading

import pytest
from mmengine.utils import ManagerMixin


class Fragile(ManagerMixin):
    def __init__(self, name, broken=False):
        super().__init__(name)
        if broken:
            raise ValueError("mine")


def get(name):
    """From another thread, which waits for ever where the lock is held."""
    found = []
    thread = threading.Thread(target=lambda: found.append(Fragile.get_instance(name)), daemon=True)
    thread.start()
    thread.join(timeout=5)
    return found


@pytest.mark.parametrize(
    ("fail", "error"),
    [
        (lambda: Fragile.get_instance("a", broken=True), ValueError),
        (lambda: Fragile.get_instance(3), AssertionError),
        (lambda: Fragile.get_instance("a", "wrong", "arguments"), TypeError),
        (lambda: Fragile.get_current_instance(), RuntimeError),
    ],
)
def test_other_threads_go_on(fail, error):
    Fragile._instance_dict.clear()
    with pytest.raises(error):
        fail()
    assert [instance.instance_name for instance in get("b")] == ["b"]
    assert get("b")[0] is Fragile.get_current_instance()
