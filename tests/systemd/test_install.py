"""systemd/install: the packages are exactly those needed, each checked by hash; files land where the unit looks;
what is the site's own is never overwritten; a version that fails is taken back.

The functions of the script are called one by one, under a folder; packages are not downloaded here.
"""

import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from edged import __version__

ROOT = Path(__file__).parents[2]
INSTALL = ROOT / "systemd" / "install"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PINNED = re.compile(
    r"(?P<name>[\w.-]+)==(?P<version>\S+)(?: ; (?P<marker>.*?))?(?P<hashes>(?: +--hash=sha256:\w{64})+)"
)


def pins(file: str) -> dict[str, re.Match[str]]:
    """Fails for a line that is not a pin with hashes: an address, an option, a folder."""
    lines = (ROOT / file).read_text(encoding="utf-8").replace(" \\\n", "").splitlines()
    matches = [PINNED.fullmatch(line) for line in lines]
    assert None not in matches, [line for line, match in zip(lines, matches, strict=True) if match is None]
    return {match["name"]: match for match in matches if match}


def needed(names: list[str]) -> set[str]:
    """Those, and all that they require on this platform."""
    found: set[str] = set()
    todo = [Requirement(name) for name in names]
    while todo:
        requirement = todo.pop()
        name = canonicalize_name(requirement.name)
        if name in found or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        found.add(name)
        todo += map(Requirement, requires(name) or [])
    return found


def applies(marker: str | None) -> bool:
    return marker is None or Marker(marker).evaluate()


def call(script: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs `script` with the functions of systemd/install at hand. (Were INSTALL its $0, it would install.)"""
    command = ["bash", "-c", f'install=$1; shift; source "$install"; {script}', "test", INSTALL, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


# ── packages ───────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("file", "wanted"),
    [
        # A site has what the path diagnosis needs, though the package can do without (docs/decisions/0002).
        (
            "constraints-run.txt",
            PROJECT["project"]["dependencies"] + PROJECT["project"]["optional-dependencies"]["diagnostics"],
        ),
        ("constraints-build.txt", PROJECT["build-system"]["requires"]),
    ],
)
def test_what_is_installed_is_what_is_needed_and_pinned_as_for_development(file: str, wanted: list[str]) -> None:
    every, these = pins("constraints.txt"), pins(file)
    elsewhere = {name for name, pin in these.items() if not applies(pin["marker"])}
    assert set(these) - elsewhere == needed(wanted)
    for name, pin in these.items():  # markers may differ: development has more reasons to want a package
        assert (pin["version"], pin["hashes"].split()) == (every[name]["version"], every[name]["hashes"].split()), name


def test_the_rooms_are_those_of_the_wheel_without_the_lab() -> None:
    packages = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert call('echo "${rooms[@]}"').stdout.split() == [name for name in packages if name != "lab"]


def test_the_wheel_is_made_without_the_lab(tmp_path: Path) -> None:
    script = 'work=$1 pip=("$2" -m pip --quiet --disable-pip-version-check); wheel_maker() { :; }; make_wheel'
    made = call(script, tmp_path, sys.executable)
    assert made.returncode == 0, made.stderr
    listed = subprocess.run(
        [sys.executable, "-m", "zipfile", "-l", made.stdout.strip()], capture_output=True, text=True
    )
    assert "edged/cli/daemon.py" in listed.stdout
    assert "lab/" not in listed.stdout


# ── programs ───────────────────────────────────────────────────────────────────────────────────────────────
def test_a_launcher_starts_what_pyproject_names_in_the_release_it_is_part_of(tmp_path: Path) -> None:
    scripts = {name: at.split(":") for name, at in PROJECT["project"]["scripts"].items() if name != "lab"}
    launched = re.findall(r'^  launcher "\$1" (\S+) (\S+)$', INSTALL.read_text(encoding="utf-8"), re.MULTILINE)
    assert dict(launched) == {name: module for name, (module, _) in scripts.items()}
    assert {function for _, function in scripts.values()} == {"main"}

    (tmp_path / "usr/lib/edged/1/bin").mkdir(parents=True)
    assert call('root=$1; launcher "$1/usr/lib/edged/1" edgectl edged.cli.edgectl', tmp_path).returncode == 0
    first, *_ = (tmp_path / "usr/lib/edged/1/bin/edgectl").read_text().splitlines()
    assert first == "#!/usr/lib/edged/1/bin/python3 -IXfaulthandler"


def test_a_release_has_another_name_when_anything_in_it_differs(tmp_path: Path) -> None:
    for name in ("edged", "probes", "ups", "wan", "qos", "systemd"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "constraints-run.txt", "constraints-build.txt"):
        shutil.copy(ROOT / file, tmp_path / file)
    naming = "source=$1; release_name"
    before = call(naming, tmp_path).stdout.strip()
    assert re.fullmatch(rf"{re.escape(__version__)}-[0-9a-f]{{8}}", before)
    assert call(naming, tmp_path).stdout.strip() == before
    (tmp_path / "edged" / "notify.py").write_text("# changed\n")
    assert call(naming, tmp_path).stdout.strip() != before


# ── files ──────────────────────────────────────────────────────────────────────────────────────────────────
LAY = 'root=$1; mkdir -p "$root$lib"; lay_files; turn_to some-release'
LAID = {
    "etc/edged/edged.toml": "config/edged.toml",
    "usr/lib/systemd/system/edged.service": "systemd/edged.service",
    "usr/lib/sysusers.d/edged.conf": "systemd/edged.sysusers",
    "usr/lib/tmpfiles.d/edged.conf": "systemd/edged.tmpfiles",
    "usr/share/doc/edged/LICENSE": "LICENSE",
    "usr/share/doc/edged/README.md": "README.md",
    "usr/share/doc/edged/edged.toml": "config/edged.toml",
    "usr/share/doc/edged/protocol.toml": "config/protocol.toml",
    "usr/share/doc/edged/install.md": "docs/install.md",
}


def test_files_land_where_systemd_and_people_look(tmp_path: Path) -> None:
    laid = call(LAY, tmp_path)
    assert (laid.returncode, laid.stderr) == (0, "")
    for place, origin in LAID.items():
        assert (tmp_path / place).read_bytes() == (ROOT / origin).read_bytes()
    links = {name: (tmp_path / "usr" / "bin" / name).readlink() for name in ("edged", "edgectl")}
    assert links == {name: Path(f"../lib/edged/current/bin/{name}") for name in links}
    assert (tmp_path / "usr/lib/edged/current").readlink() == Path("some-release")
    assert (tmp_path / "etc/edged/edged.toml").stat().st_mode & 0o777 == 0o640


def test_the_site_s_own_configuration_is_never_overwritten(tmp_path: Path) -> None:
    own, unit = tmp_path / "etc/edged/edged.toml", tmp_path / "usr/lib/systemd/system/edged.service"
    for path in (own, unit):
        path.parent.mkdir(parents=True)
        path.write_text("# as it was\n")
    assert call(LAY, tmp_path).returncode == 0
    assert own.read_text() == "# as it was\n"
    assert unit.read_text() != "# as it was\n"


# ── the restart of an upgrade ──────────────────────────────────────────────────────────────────────────────
SYSTEMCTL = """
root=$1 release=new running=$2 starts=$3
mkdir -p "$root$lib"; turn_to new
systemctl() {
  echo "$*"
  case "$1" in
    is-active|is-failed) [ "$running" = "$1" ] ;;
    restart) [ "$starts" = yes ] ;;
  esac
}
restart "$4"
"""


@pytest.mark.parametrize(
    ("running", "starts", "before", "restarts", "ends_at", "status"),
    [
        ("is-active", "yes", "old", 1, "new", 0),
        ("is-failed", "yes", "old", 1, "new", 0),
        ("stopped", "yes", "old", 0, "new", 0),  # a service somebody stopped stays stopped
        ("is-active", "no", "old", 2, "old", 1),
        ("is-active", "no", "", 1, "new", 1),
        ("is-active", "no", "new", 1, "new", 1),
    ],
)
def test_an_upgrade_restarts_what_ran_and_takes_back_what_does_not_start(
    tmp_path: Path, running: str, starts: str, before: str, restarts: int, ends_at: str, status: int
) -> None:
    done = call(SYSTEMCTL, tmp_path, running, starts, before)
    assert done.stdout.splitlines()[0] == "daemon-reload"
    assert done.stdout.splitlines().count("restart edged.service") == restarts
    assert (tmp_path / "usr/lib/edged/current").readlink() == Path(ends_at)
    assert done.returncode == status


@pytest.mark.parametrize(("arguments", "status"), [(["--help"], 0), (["--what"], 2)])
def test_what_it_does_is_said(arguments: list[str], status: int) -> None:
    done = subprocess.run([INSTALL, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == status
    assert "--remove" in done.stdout
