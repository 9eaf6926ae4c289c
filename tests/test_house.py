"""The rooms know whom they may know, and keep to their size."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("edged", "probes", "ups", "wan", "qos", "lab")
MODULES = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
BANNED_NAMES = {"utils", "helpers", "common", "manager", "base", "misc"}


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_imports_keep_to_the_contracts() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_command_line_imports_none_of_the_heavy_libraries() -> None:
    heavy = ("scapy", "pysnmp", "aiomqtt", "pyroute2", "rich.live")
    code = f"import edged.cli.edgectl, sys; sys.exit(', '.join(m for m in {heavy!r} if m in sys.modules) or None)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_a_module_has_a_telling_name_a_docstring_and_a_bounded_size(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert path.stem not in BANNED_NAMES
    tree = ast.parse(text)
    if tree.body:
        assert ast.get_docstring(tree), "a module says its rule in a few lines"
    assert text.count("\n") <= 400, "split by concept"


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_a_function_fits_on_a_screen(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = {f.name: f.end_lineno - f.lineno + 1 for f in functions if f.end_lineno and f.end_lineno - f.lineno >= 50}
    assert not long


def test_one_broad_except_in_the_whole_tree() -> None:
    trees = ((named(path), ast.parse(path.read_text(encoding="utf-8"))) for path in MODULES)
    broad = [name for name, tree in trees if any(map(_is_broad, ast.walk(tree)))]
    assert broad == ["edged/supervise.py"]


def _is_broad(node: ast.AST) -> bool:
    if not isinstance(node, ast.ExceptHandler) or _only_tidies_up(node):
        return False
    names = {"Exception", "BaseException"}
    kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    return any(kind is None or (isinstance(kind, ast.Name) and kind.id in names) for kind in kinds)


def _only_tidies_up(handler: ast.ExceptHandler) -> bool:
    """Lets go of something and raises on: that swallows nothing."""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None
