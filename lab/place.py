"""The lab's directory: everything a running site leaves on disk. One lab at a time, and never somebody else's files.

The lock is held by the lab's first process for as long as it lives, so it cannot be stale. What an earlier lab left is
removed; a directory that is not empty and was never a lab's is refused.
"""

import fcntl
import os
import shutil
import stat
import time
from pathlib import Path

from lab.errors import LabMisuse

LOCK = "lab.lock"
LONGEST_SOCKET_PATH = 107
"""unix(7), without the final zero; the longest name in DIR is taken to have 24 letters."""


def default_directory() -> Path:
    """$EDGED_LAB_DIR, or one per user under /tmp."""
    return Path(os.environ.get("EDGED_LAB_DIR") or f"/tmp/edged-lab-{os.getuid()}")


def claim(directory: Path) -> int:
    """Make `directory` (mode 0700) empty and ours. Returns the lock's file descriptor, which a program started by exec
    inherits.

    Raises LabMisuse when a lab runs there, or when it is not ours to use.
    """
    _check_path(directory)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    _check_owner(directory)
    strangers = [path.name for path in directory.iterdir()]
    if strangers and LOCK not in strangers:
        raise LabMisuse(f"{directory} is not empty and not a lab's: it holds {strangers[0]}")
    directory.chmod(0o700)
    lock = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    if not _lock(lock):
        os.close(lock)
        raise LabMisuse(f"a lab already runs in {directory}")
    os.set_inheritable(lock, True)
    _clean(directory)
    (directory / "log").mkdir()
    return lock


def is_claimed(directory: Path) -> bool:
    """Does a lab run there? Raises LabMisuse when the directory is somebody else's."""
    try:
        lock = os.open(directory / LOCK, os.O_RDWR)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except PermissionError:
        raise LabMisuse(f"{directory} is not yours") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def _lock(lock: int) -> bool:
    """Tried for a tenth of a second: `is_claimed`, asked by others, holds the lock for an instant."""
    for _ in range(10):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.01)
        else:
            return True
    return False


def _check_path(directory: Path) -> None:
    if not directory.is_absolute() or len(os.fsencode(directory)) + 1 + 24 > LONGEST_SOCKET_PATH:
        raise LabMisuse(f"{directory}: the lab needs an absolute path of at most {LONGEST_SOCKET_PATH - 25} bytes")


def _check_owner(directory: Path) -> None:
    """In /tmp somebody else may have made the directory, or a link of that name, before us."""
    status = directory.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        raise LabMisuse(f"{directory} is not a directory of yours")


def _clean(directory: Path) -> None:
    for path in directory.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != LOCK:
            path.unlink()
