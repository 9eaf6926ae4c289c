"""The connection: no reply is ever taken for the answer to another question."""

import asyncio
import socket

import pytest

from tests.ups.upsd_double import Cut, Late, Silent, Step, UpsdDouble
from ups.nut_client import NutClient
from ups.nut_wire import NutPeerError, NutRefused
from ups.settings import NutServerSettings

STATUS = "GET VAR network ups.status"
ON_BATTERY = b'VAR network ups.status "OB"\n'


async def test_a_late_reply_is_never_taken_for_the_next_answer() -> None:
    async with UpsdDouble({STATUS: Late(0.25, ON_BATTERY)}) as upsd:
        async with await NutClient.connect(upsd.settings_with(timeout_s=0.1)) as client:
            with pytest.raises(NutPeerError, match=r"no reply to GET within 0\.1 s"):
                await client.get_var("network", "ups.status")
            upsd.answers[STATUS] = b'VAR network ups.status "OL"\n'
            with pytest.raises(NutPeerError, match="connection is gone"):
                await client.get_var("network", "ups.status")
            with pytest.raises(NutPeerError):  # also while the late bytes come in
                await client.rest(0.3)
        async with await NutClient.connect(upsd.settings) as client:
            assert await client.get_var("network", "ups.status") == "OL"
    assert upsd.heard.count(STATUS) == 2


async def test_a_cancelled_question_ends_the_connection() -> None:
    async with UpsdDouble({STATUS: Late(0.05, ON_BATTERY)}) as upsd, await NutClient.connect(upsd.settings) as client:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await client.get_var("network", "ups.status")
        with pytest.raises(NutPeerError, match="given up"):
            await client.get_var("network", "ups.status")


async def test_one_cancelled_while_waiting_its_turn_harms_nobody() -> None:
    slow = b'VAR network ups.status "OL"\n'
    async with UpsdDouble({STATUS: Late(0.05, slow)}) as upsd, await NutClient.connect(upsd.settings) as client:
        first = asyncio.create_task(client.get_var("network", "ups.status"))
        second = asyncio.create_task(client.version())
        await asyncio.sleep(0)
        second.cancel()
        assert await first == "OL"
        assert await client.protocol_version() == "1.3"
    assert "VER" not in upsd.heard


async def test_questions_asked_at_once_are_sent_one_after_the_other() -> None:
    answers: dict[str, Step] = {
        f"GET VAR network v{i}": Late(0.002 * (10 - i), f'VAR network v{i} "{i}"\n'.encode()) for i in range(10)
    }
    async with UpsdDouble(answers) as upsd, await NutClient.connect(upsd.settings) as client:
        values = await asyncio.gather(*(client.get_var("network", f"v{i}") for i in range(10)))
    assert values == [str(i) for i in range(10)]


@pytest.mark.parametrize(
    ("step", "complaint"),
    [
        (Cut(), "closed by the peer"),
        (Cut(b'VAR network ups.status "O'), "closed by the peer"),
        (Silent(), "no reply"),
        (b'VAR network ups.status "O', "no reply"),
        (b"\xff\xfe\x00garbage\n", "answered GET VAR network ups.status with"),
        (b'VAR network ups.status "OL\n', "open quote"),
        (b"x" * 100_000, "more than 4096 bytes"),
        (b"\n", "empty line"),
        (b"OK\n", "answered"),
        (b'VAR workstation ups.status "OL"\n', "answered"),
        (b'VAR network battery.charge "9"\n', "answered"),
        (b"BEGIN LIST VAR network\nEND LIST VAR network\n", "answered"),
        (b"BEGIN LIST UPS\n" + b'UPS a ""\n' * 5000, "row 640"),
    ],
)
async def test_a_peer_that_breaks_the_protocol_is_named_and_left(step: Step, complaint: str) -> None:
    async with UpsdDouble({STATUS: step}) as upsd, await NutClient.connect(upsd.settings) as client:
        with pytest.raises(NutPeerError, match=complaint):
            await client.get_var("network", "ups.status")
        with pytest.raises(NutPeerError, match="connection is gone"):
            await client.version()


async def test_names_are_compared_without_case_as_upsd_does() -> None:
    async with (
        UpsdDouble({"GET VAR NetWork ups.status": b'VAR network ups.status "OL"\n'}) as upsd,
        await NutClient.connect(upsd.settings) as client,
    ):
        assert await client.get_var("NetWork", "ups.status") == "OL"


async def test_a_second_answer_to_one_question_ends_the_connection() -> None:
    async with UpsdDouble({"NETVER": b"1.3\n1.3\n"}) as upsd, await NutClient.connect(upsd.settings) as client:
        assert await client.protocol_version() == "1.3"
        with pytest.raises(NutPeerError, match="spoke unasked"):
            await client.version()


@pytest.mark.parametrize("unasked", [ON_BATTERY, b"VAR netw"])
async def test_a_word_unasked_between_questions_ends_the_connection(unasked: bytes) -> None:
    async with UpsdDouble() as upsd, await NutClient.connect(upsd.settings) as client:
        assert await client.get_var("network", "ups.status") == "OL CHRG"
        upsd.say(unasked)
        await asyncio.sleep(0.05)
        with pytest.raises(NutPeerError, match="spoke unasked"):
            await client.get_var("network", "ups.status")


async def test_err_is_an_answer_and_the_connection_stays() -> None:
    async with UpsdDouble({STATUS: b"ERR DATA-STALE\n"}) as upsd, await NutClient.connect(upsd.settings) as client:
        with pytest.raises(NutRefused, match=r"GET VAR network ups\.status was refused: DATA-STALE") as caught:
            await client.get_var("network", "ups.status")
        assert caught.value.code == "DATA-STALE"
        assert await client.protocol_version() == "1.3"
        assert upsd.connections == 1


async def test_rest_returns_after_its_time_and_raises_at_once_when_the_peer_dies() -> None:
    async with UpsdDouble() as upsd, await NutClient.connect(upsd.settings) as client:
        await client.rest(0.01)
        await client.rest(0)
        asyncio.get_running_loop().call_later(0.02, upsd.hang_up)
        async with asyncio.timeout(1):
            with pytest.raises(NutPeerError):
                await client.rest(60)


async def test_a_refused_connection_and_an_impossible_name_are_the_rooms_error() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        closed = NutServerSettings(host="127.0.0.1", port=bound.getsockname()[1])
        with pytest.raises(NutPeerError, match="cannot connect"):
            await NutClient.connect(closed)
    with pytest.raises(NutPeerError, match="cannot connect"):
        await NutClient.connect(NutServerSettings(host="a..b"))


async def test_a_server_that_takes_no_connections_costs_the_timeout_only() -> None:
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for filler in (first, second):
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        deaf = NutServerSettings(host="127.0.0.1", port=full.getsockname()[1], connect_timeout_s=0.1)
        async with asyncio.timeout(1):
            with pytest.raises(NutPeerError, match="cannot connect: TimeoutError"):
                await NutClient.connect(deaf)
