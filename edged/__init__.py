"""edged: the daemon in the procedure room. It looks, judges, acts and reports, always in that order."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("edged")
except PackageNotFoundError:  # run from a tree that was never installed
    __version__ = "0+unknown"
