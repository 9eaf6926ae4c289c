"""edged: the daemon in the procedure room. It looks, judges, acts and reports, always in that order."""

__version__ = "0.1.0"
