"""The unit says what the daemon does: its commands, paths, groups, capabilities; and systemd understands it."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from edged.cli import daemon, edgectl, options
from edged.cli.client import DEFAULT_SOCKET
from edged.config import SiteSettings
from edged.control.roles import RoleSettings
from edged.control.server import ControlSettings
from edged.judging import TICK_S
from tests.systemd.unit_file import SYSTEMD, read, table

UNIT = read(SYSTEMD / "edged.service")
PROGRAMS = Path(sys.executable).parent


def service(key: str) -> str:
    (value,) = UNIT["Service", key]
    return value


@pytest.mark.parametrize(
    ("key", "program", "app"),
    [("ExecStart", "edged", daemon.app), ("ExecReload", "edgectl", edgectl.app)],
)
def test_each_command_line_is_one_that_the_program_takes(key: str, program: str, app: typer.Typer) -> None:
    path, command, *arguments = shlex.split(service(key))
    assert path == f"/usr/bin/{program}"
    click = typer.main.get_command(app)
    assert hasattr(click, "commands")
    click.commands[command].make_context(command, arguments)  # raises for an option that is not there


def test_no_more_than_two_capabilities() -> None:
    assert set(service("CapabilityBoundingSet").split()) == {"CAP_NET_RAW", "CAP_NET_ADMIN"}
    assert service("AmbientCapabilities") == service("CapabilityBoundingSet")
    assert ("Service", "PrivateUsers") not in UNIT  # would take NET_ADMIN over the real interfaces away


def test_paths_are_those_the_programs_look_in() -> None:
    assert service("ExecStart").endswith(str(daemon.CONFIG))
    assert Path("/run", service("RuntimeDirectory")) == ControlSettings().socket.parent == DEFAULT_SOCKET.parent
    state_dir = SiteSettings(tenant="a", name="b").state_dir
    assert Path("/var/lib", service("StateDirectory")) == state_dir == options.STATE_DIR
    assert Path("/etc", service("ConfigurationDirectory")) == daemon.CONFIG.parent


def test_the_watchdog_waits_for_many_ticks() -> None:
    assert service("Type") == "notify"
    assert float(service("WatchdogSec")) >= 20 * TICK_S


def test_what_cannot_get_better_by_trying_again_is_not_tried_again(tmp_path: Path) -> None:
    bad = tmp_path / "edged.toml"
    bad.write_text("site = 1\n")
    done = subprocess.run([PROGRAMS / "edged", "run", "--config", bad], capture_output=True, text=True, check=False)
    assert service("Restart") == "always"
    assert UNIT["Unit", "StartLimitIntervalSec"] == ["0"]
    assert int(service("RestartPreventExitStatus")) == os.EX_CONFIG == done.returncode
    assert str(bad) in done.stderr


def test_accounts_are_those_the_unit_and_the_roles_name() -> None:
    made = {(kind, name) for kind, name, *_ in table(SYSTEMD / "edged.sysusers")}
    roles = RoleSettings()
    groups = {*roles.view, *roles.operate, *roles.admin}
    assert made == {("u", service("User"))} | {("g", group) for group in groups}
    assert service("Group") == service("User")


def test_folders_are_given_to_the_service_and_closed_to_others() -> None:
    entries = {
        path: (kind, mode, user, group) for kind, path, mode, user, group, _ in table(SYSTEMD / "edged.tmpfiles")
    }
    account = service("User")
    assert entries == {
        "/etc/edged": ("d", service("ConfigurationDirectoryMode"), "root", account),
        "/etc/edged/edged.toml": ("z", "0640", "root", account),
        "/var/lib/edged": ("d", service("StateDirectoryMode"), account, account),
    }
    assert all(mode.endswith("0") for _, mode, _, _ in entries.values())


def test_what_the_daemon_needs_is_left_to_it() -> None:
    families = set(service("RestrictAddressFamilies").split())
    assert families == {"AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK", "AF_PACKET"}
    allowed, denied, again = UNIT["Service", "SystemCallFilter"]
    assert (allowed, denied[0]) == ("@system-service", "~")
    # Whether the clock is in sync (glibc uses either); the path diagnosis lowers its own priority.
    assert again.split() == ["adjtimex", "clock_adjtime", "setpriority"]
    assert service("ProcSubset") == "all"  # /proc/sys/kernel/random/boot_id


def test_a_child_that_outgrows_the_memory_does_not_stop_the_service() -> None:
    assert service("OOMPolicy") == "continue"
    assert service("MemoryMax") == "384M"  # as docs/install.md says


CLOSED = {
    "strict": ("ProtectSystem",),
    "invisible": ("ProtectProc",),
    "private": ("KeyringMode",),
    "native": ("SystemCallArchitectures",),
    "0077": ("UMask",),
    "0": ("LimitCORE",),
    "yes": (
        "LockPersonality",
        "MemoryDenyWriteExecute",
        "NoNewPrivileges",
        "PrivateDevices",
        "PrivateIPC",
        "PrivateMounts",
        "PrivateTmp",
        "ProtectControlGroups",
        "ProtectHome",
        "ProtectHostname",
        "ProtectKernelLogs",
        "ProtectKernelModules",
        "ProtectKernelTunables",
        "RemoveIPC",
        "RestrictNamespaces",
        "RestrictRealtime",
        "RestrictSUIDSGID",
    ),
}
"""systemd only warns of a key it does not know: a slip of the pen would open a door in silence."""


@pytest.mark.parametrize(("value", "key"), [(value, key) for value, keys in CLOSED.items() for key in keys])
def test_a_door_is_closed(value: str, key: str) -> None:
    assert service(key) == value


def test_where_there_is_a_systemd_it_takes_every_line_and_scores_it_closed(tmp_path: Path) -> None:
    if (analyze := shutil.which("systemd-analyze")) is None:
        return  # the tables above hold everywhere
    unit = tmp_path / "edged.service"
    text = (SYSTEMD / "edged.service").read_text(encoding="utf-8")
    unit.write_text(text.replace("/usr/bin/edge", "/bin/true edge"))  # neither program is installed here
    verified = subprocess.run([analyze, "verify", "--man=no", unit], capture_output=True, text=True, check=False)
    assert (verified.returncode, verified.stderr) == (0, "")
    security = [analyze, "security", "--offline=true", "--threshold=25"]  # 2.5 of 10
    scored = subprocess.run([*security, unit], capture_output=True, text=True, check=False)
    assert scored.returncode == 0, scored.stdout
