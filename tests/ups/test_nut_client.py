import asyncio
from pathlib import Path

import pytest

from tests.ups.certificates import new_authority, server_context
from tests.ups.upsd_double import Silent, Step, Tls, UpsdDouble
from ups.nut_client import NutClient, Tracking
from ups.nut_wire import NutPeerError, NutRefused, NutUsageError


async def test_every_question_has_its_answer() -> None:
    async with UpsdDouble() as upsd, await NutClient.connect(upsd.settings) as client:
        assert await client.version() == 'Network UPS Tools upsd 2.8.0 - a "double'
        assert await client.protocol_version() == "1.3"
        assert await client.list_ups() == {"network": 'Core "A" é', "workstation": "Desk"}
        assert (await client.list_vars("network"))["ups.model"] == 'Smart "1500"'
        assert await client.list_vars("workstation") == {}
        assert await client.list_cmds("network") == ("load.off", "outlet.2.load.off")
        assert await client.get_var("network", "ups.status") == "OL CHRG"


@pytest.mark.parametrize(
    "listing",
    [
        b"BEGIN LIST VAR workstation\nEND LIST VAR workstation\n",
        b'BEGIN LIST VAR network\nVAR workstation battery.charge "1"\nEND LIST VAR network\n',
        b"BEGIN LIST VAR network\nCMD network load.off\nEND LIST VAR network\n",
        b"OK\n",
    ],
)
async def test_a_list_of_something_else_is_not_believed(listing: bytes) -> None:
    async with UpsdDouble({"LIST VAR network": listing}) as upsd, await NutClient.connect(upsd.settings) as client:
        with pytest.raises(NutPeerError, match="answered LIST VAR network"):
            await client.list_vars("network")


async def test_a_command_is_tracked_by_its_id() -> None:
    answers: dict[str, Step] = {
        "INSTCMD network outlet.2.load.off": b"OK TRACKING id-1\n",
        "SET VAR network outlet.1.delay.start 10": b"OK TRACKING id-2\n",
        "INSTCMD network test.battery.start 30": b"OK\n",
        "GET TRACKING id-1": b"PENDING\n",
        "GET TRACKING id-2": b"ERR INVALID-ARGUMENT\n",
        "GET TRACKING id-3": b"SUCCESS\n",
        "GET TRACKING id-4": b"ERR FAILED\n",
        "GET TRACKING id-5": b"ERR UNKNOWN\n",
    }
    async with UpsdDouble(answers) as upsd, await NutClient.connect(upsd.settings) as client:
        await client.set_tracking(True)
        assert await client.instcmd("network", "outlet.2.load.off") == "id-1"
        assert await client.set_var("network", "outlet.1.delay.start", "10") == "id-2"
        assert await client.instcmd("network", "test.battery.start", "30") is None
        assert [await client.tracking(f"id-{i}") for i in range(1, 6)] == [
            Tracking.PENDING,
            Tracking.INVALID_ARGUMENT,
            Tracking.SUCCESS,
            Tracking.FAILED,
            Tracking.UNKNOWN,
        ]
        with pytest.raises(NutRefused, match="UNKNOWN-COMMAND"):
            await client.tracking("id-6")


async def test_a_tracking_state_nobody_knows_is_a_broken_protocol() -> None:
    async with UpsdDouble({"GET TRACKING 1": b"MAYBE\n"}) as upsd, await NutClient.connect(upsd.settings) as client:
        with pytest.raises(NutPeerError, match="answered GET TRACKING"):
            await client.tracking("1")


async def test_a_command_without_an_answer_is_sent_once_and_never_again() -> None:
    command = "INSTCMD network load.off"
    async with (
        UpsdDouble({command: Silent()}) as upsd,
        await NutClient.connect(upsd.settings_with(timeout_s=0.1)) as client,
    ):
        for _ in range(2):
            with pytest.raises(NutPeerError):
                await client.instcmd("network", "load.off")
    assert upsd.heard == [command]


async def test_what_cannot_be_sent_leaves_the_connection_good() -> None:
    async with UpsdDouble() as upsd, await NutClient.connect(upsd.settings) as client:
        with pytest.raises(NutUsageError):
            await client.set_var("network", "ups.id", "a\nINSTCMD network load.off")
        assert await client.protocol_version() == "1.3"
    assert upsd.heard == ["NETVER"]


# ── credentials ──


async def test_credentials_come_from_a_file_and_are_quoted(tmp_path: Path) -> None:
    file = tmp_path / "nut"
    file.write_text('edged\npa ss"word\n')
    password = 'PASSWORD "pa ss\\"word"'
    async with UpsdDouble({password: b"OK\n"}) as upsd:
        (await NutClient.connect(upsd.settings_with(credentials_file=file))).close()
    assert upsd.heard == ["USERNAME edged", password]


async def test_a_refused_password_is_said_but_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "nut"
    file.write_text("edged\ns3cret\n")
    async with UpsdDouble({"PASSWORD s3cret": b"ERR INVALID-PASSWORD\n"}) as upsd:
        with pytest.raises(NutRefused, match="PASSWORD was refused: INVALID-PASSWORD") as caught:
            await NutClient.connect(upsd.settings_with(credentials_file=file))
        async with asyncio.timeout(1):  # the connection is not left open
            while upsd.open_connections:
                await asyncio.sleep(0.01)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"edged\n", b"edged\n\n", b"a\nb\nc\n", b"\xff\xfe\n1\n"])
async def test_a_credentials_file_of_another_shape_is_our_mistake(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "nut"
    file.write_bytes(content)
    async with UpsdDouble() as upsd:
        with pytest.raises(NutUsageError, match=str(file)):
            await NutClient.connect(upsd.settings_with(credentials_file=file))
        with pytest.raises(NutUsageError, match="missing"):
            await NutClient.connect(upsd.settings_with(credentials_file=tmp_path / "missing"))
    assert upsd.heard == []


# ── TLS ──


async def test_tls_with_a_pinned_authority(tmp_path: Path) -> None:
    authority = new_authority("site")
    context = server_context(authority, tmp_path)
    ca_file, login = authority.write(tmp_path / "ca.pem"), tmp_path / "nut"
    login.write_text("edged\nsecret\n")
    async with UpsdDouble({"STARTTLS": Tls(context), "PASSWORD secret": b"OK\n"}) as upsd:
        settings = upsd.settings_with(tls=True, tls_ca_file=ca_file, credentials_file=login)
        async with await NutClient.connect(settings) as client:
            assert await client.get_var("network", "ups.status") == "OL CHRG"
            assert len(await client.list_vars("network")) == 4
    assert upsd.heard[:3] == ["STARTTLS", "USERNAME edged", "PASSWORD secret"]


async def test_the_servers_own_certificate_can_be_pinned(tmp_path: Path) -> None:
    context = server_context(new_authority("site"), tmp_path)
    async with UpsdDouble({"STARTTLS": Tls(context)}) as upsd:
        settings = upsd.settings_with(tls=True, tls_ca_file=tmp_path / "server.pem")
        async with await NutClient.connect(settings) as client:
            assert await client.protocol_version() == "1.3"


async def test_a_certificate_of_another_authority_or_name_is_not_believed(tmp_path: Path) -> None:
    authority, stranger = new_authority("site"), new_authority("stranger")
    context = server_context(authority, tmp_path)
    login = tmp_path / "nut"
    login.write_text("edged\nsecret\n")
    wrong: list[dict[str, object]] = [
        {"tls_ca_file": stranger.write(tmp_path / "stranger.pem")},
        {"tls_ca_file": authority.write(tmp_path / "ca.pem"), "tls_server_name": "upsd.example.org"},
        {},  # the system's authorities do not know ours
    ]
    async with UpsdDouble({"STARTTLS": Tls(context)}) as upsd:
        for changes in wrong:
            with pytest.raises(NutPeerError, match="CERTIFICATE_VERIFY_FAILED"):
                await NutClient.connect(upsd.settings_with(tls=True, credentials_file=login, **changes))
    assert upsd.heard == ["STARTTLS"] * 3


@pytest.mark.parametrize(
    ("step", "complaint"),
    [
        (b"ERR FEATURE-NOT-CONFIGURED\n", "TLS is demanded but .* FEATURE-NOT-CONFIGURED"),
        (b"VAR a b c\n", "answered STARTTLS"),
        (Silent(), "no reply to STARTTLS"),
        (Tls(None), "TLS failed"),  # agreed, then silent
        (Tls(None, b"hello, this is clear text\n"), "unasked|TLS failed"),
        (Tls(None, b"\x16\x03"), "unasked|TLS failed"),
    ],
)
async def test_without_tls_nothing_more_is_said(tmp_path: Path, step: Step, complaint: str) -> None:
    login = tmp_path / "nut"
    login.write_text("edged\nsecret\n")
    async with UpsdDouble({"STARTTLS": step}) as upsd:
        settings = upsd.settings_with(tls=True, credentials_file=login, connect_timeout_s=0.2)
        with pytest.raises(NutPeerError, match=complaint):
            await NutClient.connect(settings)
    assert not [line for line in upsd.heard if line.startswith(("USERNAME", "PASSWORD"))]


async def test_clear_text_slipped_in_before_tls_is_never_an_answer(tmp_path: Path) -> None:
    authority = new_authority("site")
    slipped_in = Tls(server_context(authority, tmp_path), b'VAR network ups.status "OL"\n')
    async with UpsdDouble({"STARTTLS": slipped_in}) as upsd:
        settings = upsd.settings_with(tls=True, tls_ca_file=authority.write(tmp_path / "ca.pem"))
        with pytest.raises(NutPeerError, match="unasked"):
            await NutClient.connect(settings)


async def test_a_ca_file_that_is_none_is_our_mistake(tmp_path: Path) -> None:
    nonsense = tmp_path / "ca.pem"
    nonsense.write_text("no certificate")
    async with UpsdDouble() as upsd:
        for file in (nonsense, tmp_path / "missing.pem"):
            with pytest.raises(NutUsageError, match=str(file)):
                await NutClient.connect(upsd.settings_with(tls=True, tls_ca_file=file))
    assert upsd.connections == 0
