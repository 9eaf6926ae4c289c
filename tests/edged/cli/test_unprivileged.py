"""What somebody may ask who may read neither the record nor the configuration."""

import subprocess
import sys
from tempfile import TemporaryDirectory

from tests.edged.cli.as_nobody import AS_NOBODY


def test_status_is_for_those_too_who_may_not_read_the_record() -> None:
    with TemporaryDirectory() as state_dir:  # root's alone, under a folder that anybody may enter
        command = ["status", "--socket", "/nonexistent/control.sock", "--state-dir", state_dir]
        done = subprocess.run([sys.executable, "-c", AS_NOBODY, *command], capture_output=True, text=True, check=False)
    assert done.returncode == 3, done.stderr
    assert "NOT RUNNING" in done.stdout
