"""What the daemon does not load: a small box has better uses for 12 MiB.

structlog would load rich to draw tracebacks on a screen (5 MiB), paho dnspython to look for SRV records nobody asks for
(2 MiB), and pyroute2 all of itself where a third does (4 MiB).
"""

import sys
from importlib.util import find_spec
from types import ModuleType

UNNEEDED = ("rich", "dns")
"""Whoever would like them says `except ImportError`."""
BARE = "pyroute2"
"""Its __init__ does nothing but import each of its 160 modules; those that are needed are imported by name."""


def load_lean() -> None:
    """To be called before anything of the daemon is imported; later it changes nothing."""
    for name in UNNEEDED:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]
    spec = None if BARE in sys.modules else find_spec(BARE)
    if spec is not None and spec.submodule_search_locations is not None:
        bare = ModuleType(BARE)
        bare.__path__, bare.__spec__ = list(spec.submodule_search_locations), spec
        sys.modules[BARE] = bare
