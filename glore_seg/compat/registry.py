"""Modules that the registries import when something is first looked up, as mmengine's own do.

Importing all of OpenMMLab takes seconds, and a script that only uses the unit needs none of it.
"""

import functools
import threading
from collections.abc import Callable

from mmengine.registry import Registry


def call_at_first_lookup(register: Callable[[], None]) -> None:
    """Call a function when any registry of OpenMMLab is first asked for a name.

    mmengine's ``locations`` do this for one registry: mmseg's ``MODELS`` falls back to mmengine's
    root without triggering the imports of the root.

    Args:
        register: Registers modules. Called once; after an error again at the next lookup.
    """
    original = Registry.import_from_location
    lock = threading.RLock()
    pending = [register]

    @functools.wraps(original)
    def import_from_location(self: Registry) -> None:
        original(self)
        with lock:
            if not pending:
                return
            pending.clear()
            try:
                register()
            except BaseException:
                pending.append(register)
                raise

    Registry.import_from_location = import_from_location
