"""Files are exchanged under the eyes of `Papers`; what is in use, what is told, and which certificate a broker sees."""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
import structlog

from edged.core.observations import CertificateReading
from edged.report.papers import TELL_S, Papers
from edged.report.settings import TlsSettings
from tests.edged.report.papers import write_dated, write_papers
from tests.edged.test_clock import KERNEL_NO, KERNEL_YES, HandClock


class Box:
    """A box with papers; `told` since it was last asked, `changes` counts exchanges."""

    def __init__(self, folder: Path) -> None:
        write_papers(folder)
        self.folder = folder
        self.clock = HandClock(says=KERNEL_NO, wall_s=(folder / "ca.pem").stat().st_mtime)
        self.heard: list[CertificateReading] = []
        self.changes = 0
        self.shown: bytes | None = None
        files = TlsSettings(ca_file=folder / "ca.pem", cert_file=folder / "edge.pem", key_file=folder / "edge.key")
        self.papers = Papers(files, self.heard.append, self.clock, broker=lambda: self.shown)
        self.papers.watch(self._changed)

    def _changed(self) -> None:
        self.changes += 1

    async def look(self) -> dict[str, tuple[int | None, str | None]]:
        """What is told by it: which → (days left, error)."""
        self.heard.clear()
        await self.papers.look()
        return {each.which: (_days(each), each.error) for each in self.heard}

    def write(self, name: str, *, begins: int = -1, ends: int) -> None:
        write_dated(self.folder, name, begins=timedelta(days=begins), ends=timedelta(days=ends))


def _days(reading: CertificateReading) -> int | None:
    return None if reading.days_left is None else round(reading.days_left)


@pytest.fixture
async def box(tmp_path: Path) -> Box:
    box = Box(tmp_path)
    assert await box.look() == {"own": (1, None), "ca": (1, None)}
    return box


async def test_each_paper_is_told_at_once_on_change_and_hourly(box: Box) -> None:
    assert await box.look() == {}
    box.clock.go(TELL_S - 1)
    assert await box.look() == {}
    box.clock.go(1)
    assert await box.look() == {"own": (1, None), "ca": (1, None)}


async def test_the_day_it_expires_is_told_at_once(box: Box) -> None:
    box.clock.wall_s += 86_410
    assert await box.look() == {"own": (0, None), "ca": (0, None)}
    assert all(each.days_left and each.days_left < 0 for each in box.heard)


async def test_sound_papers_take_the_place_of_those_in_use(box: Box) -> None:
    before = box.papers.context
    box.write("edge", ends=90)
    assert await box.look() == {"own": (90, None)}
    assert box.changes == 2, "the first ones, and these"
    assert box.papers.context is not before


async def test_a_touched_file_is_no_new_one(box: Box) -> None:
    (box.folder / "edge.pem").touch()
    await box.look()
    assert box.changes == 1


async def test_half_an_exchange_waits_for_its_other_half(box: Box) -> None:
    before, old_key = box.papers.context, (box.folder / "edge.key").read_bytes()
    box.write("edge", ends=90)
    new_key = (box.folder / "edge.key").read_bytes()
    (box.folder / "edge.key").write_bytes(old_key)
    assert await box.look() == {"own": (1, "no_key")}, "the days are those of the one in use"
    assert box.papers.context is before
    (box.folder / "edge.key").write_bytes(new_key)
    assert await box.look() == {"own": (90, None)}
    assert box.changes == 2


@pytest.mark.parametrize(
    ("name", "which", "spoil", "error"),
    [
        ("edge.pem", "own", lambda file: file.write_bytes(b"nothing"), "unreadable"),
        ("edge.pem", "own", lambda file: file.unlink(), "unreadable"),
        ("edge.key", "own", lambda file: file.unlink(), "no_key"),
        ("ca.pem", "ca", lambda file: file.unlink(), "unreadable"),
    ],
)
async def test_what_is_not_sound_is_told_and_taken_back_is_well(
    box: Box, name: str, which: str, spoil: Callable[[Path], None], error: str
) -> None:
    good, before = (box.folder / name).read_bytes(), box.papers.context
    spoil(box.folder / name)
    assert await box.look() == {which: (1, error)}
    assert box.papers.context is before
    (box.folder / name).write_bytes(good)
    assert await box.look() == {which: (1, None)}
    assert box.changes == 1


@pytest.mark.parametrize(("begins", "ends", "error"), [(-9, -1, "expired"), (2, 9, "not_yet_valid")])
async def test_papers_that_do_not_hold_today_are_not_taken(box: Box, begins: int, ends: int, error: str) -> None:
    box.write("edge", begins=begins, ends=ends)
    assert await box.look() == {"own": (1, error)}
    assert box.changes == 1


async def test_papers_that_begin_later_are_taken_on_their_day(box: Box) -> None:
    box.write("edge", begins=2, ends=9)
    await box.look()
    box.clock.go(3 * 86_400)
    assert (await box.look())["own"] == (6, None)
    assert box.changes == 2


async def test_new_papers_are_taken_also_while_the_authority_is_the_old_expired_one(box: Box) -> None:
    box.clock.go(2 * 86_400)
    box.write("edge", ends=90)
    assert await box.look() == {"own": (88, None), "ca": (-1, None)}
    assert box.changes == 2


async def test_a_clock_that_cannot_be_right_concludes_nothing_from_dates(box: Box) -> None:
    right = box.clock.wall_s
    box.clock.wall_s = 12.0
    assert await box.look() == {"own": (None, None), "ca": (None, None)}
    box.write("edge", ends=90)
    assert await box.look() == {"own": (None, None)}, "new ones are taken all the same"
    assert box.changes == 2
    box.clock.wall_s = right
    assert await box.look() == {"own": (90, None), "ca": (1, None)}


async def test_at_the_start_expired_papers_are_better_than_none(tmp_path: Path) -> None:
    box = Box(tmp_path)
    box.write("edge", begins=-9, ends=-1)
    assert await box.look() == {"own": (-1, None), "ca": (1, None)}
    assert box.papers.context


async def test_papers_that_come_after_the_start_are_found(tmp_path: Path) -> None:
    box = Box(tmp_path)
    key = (tmp_path / "edge.key").read_bytes()
    (tmp_path / "edge.key").unlink()
    assert await box.look() == {"own": (1, "no_key"), "ca": (1, None)}
    assert (box.papers.context, box.changes) == (None, 0)
    (tmp_path / "edge.key").write_bytes(key)
    assert await box.look() == {"own": (1, None)}
    assert box.papers.context
    assert box.changes == 1


async def test_what_is_not_exchanged_is_logged_once(box: Box) -> None:
    (box.folder / "edge.key").unlink()
    with structlog.testing.capture_logs() as logs:
        await box.look()
        await box.look()
    assert [(entry["event"], entry["own"]) for entry in logs] == [("certificates not exchanged", "no_key")]


async def test_the_brokers_certificate_is_told_and_remembered(box: Box) -> None:
    box.shown = ssl.PEM_cert_to_DER_cert((box.folder / "broker.pem").read_text())
    assert await box.look() == {"broker": (1, None)}
    box.shown = None
    box.clock.go(TELL_S)
    assert (await box.look())["broker"] == (1, None)


async def test_what_the_broker_shows_and_nobody_can_read_has_no_days(box: Box) -> None:
    box.shown = b"garbage"
    assert await box.look() == {"broker": (None, None)}


async def test_a_clock_set_wrong_is_blamed_by_what_was_in_sync_before(box: Box) -> None:
    expired = ssl.SSLCertVerificationError(1, "certificate has expired")
    expired.verify_code = 10
    assert box.papers.blames_clock(expired), "it never was in sync"
    box.clock.says = KERNEL_YES
    box.clock.look()
    assert not box.papers.blames_clock(expired)
    box.shown = ssl.PEM_cert_to_DER_cert((box.folder / "broker.pem").read_text())
    await box.look()
    box.clock.says = KERNEL_NO
    assert not box.papers.blames_clock(expired), "it coasts, and shows what it should"
    box.clock.wall_s += 30 * 86_400
    assert box.papers.blames_clock(expired)


# ── what a broker sees ─────────────────────────────────────────────────────────────────────────────────
async def test_the_next_connection_shows_the_new_certificate_also_while_the_files_are_spoiled(box: Box) -> None:
    first = await seen_by_a_broker(box)
    box.write("edge", ends=90)
    (box.folder / "edge.key").write_bytes(b"half")
    await box.look()
    assert await seen_by_a_broker(box) == first, "made anew with what is in use"
    box.write("edge", ends=90)
    await box.look()
    assert await seen_by_a_broker(box) not in (first, None)


async def seen_by_a_broker(box: Box) -> bytes | None:
    """Mutual TLS on the loopback."""
    seen: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()

    async def look_at(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.set_result(writer.get_extra_info("ssl_object").getpeercert(binary_form=True))
        await reader.read()
        writer.close()

    demanding = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=box.folder / "ca.pem")
    demanding.verify_mode = ssl.CERT_REQUIRED
    demanding.load_cert_chain(box.folder / "broker.pem", box.folder / "broker.key")
    server = await asyncio.start_server(look_at, "127.0.0.1", 0, ssl=demanding)
    host, port = server.sockets[0].getsockname()
    _, writer = await asyncio.open_connection(host, port, ssl=box.papers.context)
    found = await asyncio.wait_for(seen, 10)
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    server.close()
    await server.wait_closed()
    return found
