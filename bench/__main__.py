"""`python -m bench NAME [OPTIONS]`: run one bench. Without a name it lists what there is.

Every bench ends by itself, prints a table for a person and, as its last line, one JSON object.
"""

import importlib
import sys

from bench.registry import BENCHES, listing


def main() -> None:
    name, *options = sys.argv[1:] or [""]
    if name not in BENCHES:
        asked_for_help = name in ("", "-h", "--help")
        print(listing() if asked_for_help else f"no bench {name!r}\n{listing()}", file=sys.stderr)
        sys.exit(0 if asked_for_help else 2)
    sys.argv = [f"bench {name}", *options]
    importlib.import_module(BENCHES[name].module).main()


if __name__ == "__main__":
    main()
