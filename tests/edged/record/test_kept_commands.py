from pathlib import Path

from edged.record.kept_commands import GRACE_S, MOST, KeptCommands
from edged.record.recorded import KeptCommand
from tests.edged.record.scene import FixedClock, open_store

NOW_S = FixedClock().wall()


def command(identity: str, expires_s: float = NOW_S + 60, answer: bytes | None = None) -> KeptCommand:
    return KeptCommand(identity, expires_s, answer)


def test_a_command_is_known_until_long_after_it_expired() -> None:
    kept = KeptCommands().keeping(command("a", 100.0), now_wall_s=0.0)
    assert kept.keeping(command("b", 200.0), now_wall_s=100.0 + GRACE_S).find("a")
    assert not kept.keeping(command("b", 200.0), now_wall_s=100.1 + GRACE_S).find("a")


def test_its_answer_takes_the_place_of_its_beginning() -> None:
    kept = (
        KeptCommands().keeping(command("a"), now_wall_s=NOW_S).keeping(command("a", answer=b"done"), now_wall_s=NOW_S)
    )
    assert kept.commands == (command("a", answer=b"done"),)


def test_a_flood_of_commands_is_bounded() -> None:
    kept = KeptCommands()
    for n in range(MOST + 5):
        kept = kept.keeping(command(f"{n}"), now_wall_s=NOW_S)
    assert len(kept.commands) == MOST
    assert kept.find("4") is None


async def test_commands_outlive_the_daemon(tmp_path: Path) -> None:
    store = await open_store(tmp_path)
    assert await store.kept_command("a") is None
    assert await store.keep_command(command("a"))
    assert await store.keep_command(command("b"))
    assert await store.keep_command(command("a", answer=b"{}"))
    await store.close()
    store = await open_store(tmp_path)
    assert await store.kept_command("a") == command("a", answer=b"{}")
    assert await store.kept_command("b") == command("b")
    await store.close()


async def test_a_disk_that_refuses_a_command_is_told(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    store = await open_store(tmp_path / "state")
    assert not await store.keep_command(command("a"))
    assert await store.kept_command("a") == command("a")
    (tmp_path / "state").unlink()
    assert await store.keep_command(command("b"))
    await store.close()
    store = await open_store(tmp_path / "state")
    assert await store.kept_command("a") == command("a")
    await store.close()


def test_none_that_may_come_again_is_pushed_out() -> None:
    kept = KeptCommands()
    for n in range(MOST):
        kept = kept.keeping(KeptCommand(f"c-{n}", 1000.0, b""), now_wall_s=0.0)
    assert kept.full_for(KeptCommand("new", 1000.0, None), now_wall_s=1000.0 + GRACE_S)
    assert not kept.full_for(KeptCommand("c-7", 1000.0, b"done"), now_wall_s=0.0), "it is there already"
    assert not kept.full_for(KeptCommand("new", 9000.0, None), now_wall_s=1001.0 + GRACE_S)
