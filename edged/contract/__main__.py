"""Writes docs/asyncapi.yaml and docs/schemas from the models; with --check only says what is not as it would be."""

import argparse
import sys
from pathlib import Path

from edged.contract.asyncapi import document
from edged.contract.schemas import schemas, spelled


def files() -> dict[str, str]:
    """Path below the docs folder → text. Raises SystemExit where PyYAML is not installed."""
    return {
        "asyncapi.yaml": _yaml(document()),
        **{f"schemas/{name}.json": spelled(schema) for name, schema in schemas().items()},
    }


def differing(folder: Path, wanted: dict[str, str]) -> list[str]:
    """What in `folder` is missing, differs, or does not belong in schemas/."""
    there = {f"schemas/{path.name}": path for path in folder.glob("schemas/*.json")}
    wrong = [name for name, text in wanted.items() if not (folder / name).is_file() or _read(folder / name) != text]
    return [*wrong, *(name for name in sorted(there) if name not in wanted)]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m edged.contract", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if something differs")
    parser.add_argument("dir", nargs="?", type=Path, default=Path("docs"), metavar="DIR", help="default: docs")
    chosen = parser.parse_args()
    wanted = files()
    wrong = differing(chosen.dir, wanted)
    if chosen.check:
        sys.exit("\n".join(f"not as the models say: {chosen.dir / name}" for name in wrong) or None)
    for name in wrong:
        path = chosen.dir / name
        if name in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[name], encoding="utf-8")
        else:
            path.unlink()
        print(path)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _yaml(document: object) -> str:
    try:
        import yaml
    except ImportError:
        sys.exit("docs/asyncapi.yaml is written with PyYAML: pip install pyyaml (it is in edged's dev extra)")

    class Plain(yaml.SafeDumper):
        def ignore_aliases(self, data: object) -> bool:
            return True

    text: str = yaml.dump(document, Dumper=Plain, sort_keys=False, allow_unicode=True, width=120)
    return "# Made by `python -m edged.contract` from the models in edged/contract. Do not edit.\n" + text


if __name__ == "__main__":
    main()
