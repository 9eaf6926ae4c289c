import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.services.upsd_answers import Ailment, Server, Session, Unit, quoted

NETWORK = 'VAR network ups.status "OL"'


def session(**server: object) -> Session:
    unit = Unit(
        'the "network" UPS',
        {"ups.status": "OL", "battery.charge": "100", "ups.delay.start": "5", "outlet.2.status": "on"},
        writable=frozenset({"ups.delay.start"}),
        commands={"outlet.2.load.off": {"outlet.2.status": "off"}},
    )
    return Session(Server(units={"network": unit}, **server))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("GET VAR network ups.status", [NETWORK]),
        ("get var network ups.status", [NETWORK]),
        ('GET VAR "network" ups.status', [NETWORK]),
        ("LIST UPS", ["BEGIN LIST UPS", 'UPS network "the \\"network\\" UPS"', "END LIST UPS"]),
        ("LIST CMD network", ["BEGIN LIST CMD network", "CMD network outlet.2.load.off", "END LIST CMD network"]),
        ("LIST RW network", ["BEGIN LIST RW network", 'RW network ups.delay.start "5"', "END LIST RW network"]),
        ("GET UPSDESC network", ['UPSDESC network "the \\"network\\" UPS"']),
        ("GET NUMLOGINS network", ["NUMLOGINS network 0"]),
        ("GET TYPE network ups.delay.start", ["TYPE network ups.delay.start RW STRING:64"]),
        ("LIST ENUM network ups.status", ["BEGIN LIST ENUM network ups.status", "END LIST ENUM network ups.status"]),
        ("NETVER", ["1.3"]),
        ("GET VAR nobody ups.status", ["ERR UNKNOWN-UPS"]),
        ("GET VAR network ups.nothing", ["ERR VAR-NOT-SUPPORTED"]),
        ("GET VAR network", ["ERR INVALID-ARGUMENT"]),
        ("GET NONSENSE network", ["ERR INVALID-ARGUMENT"]),
        ("NONSENSE", ["ERR UNKNOWN-COMMAND"]),
        ("", ["ERR UNKNOWN-COMMAND"]),
        ('GET VAR "network', ["ERR INVALID-ARGUMENT"]),
        ("STARTTLS", ["ERR FEATURE-NOT-CONFIGURED"]),
        ("SET VAR network ups.delay.start 7", ["ERR USERNAME-REQUIRED"]),
        ("LOGIN network", ["ERR USERNAME-REQUIRED"]),
        ("GET TRACKING", ["OFF"]),
        ("LOGOUT", ["OK Goodbye"]),
    ],
)
def test_one_line_has_its_answer(line: str, expected: list[str]) -> None:
    assert session().answer(line) == expected


def test_every_variable_is_listed_in_order() -> None:
    rows = session().answer("LIST VAR network")
    assert rows[0] == "BEGIN LIST VAR network"
    assert rows[1:-1] == sorted(rows[1:-1])
    assert NETWORK in rows


def test_a_login_counts_until_it_leaves() -> None:
    password = 'pa ss"w\\ord'
    client = session(users={"edged": password})
    assert client.answer("USERNAME edged") == ["OK"]
    assert client.answer("LOGIN network") == ["ERR PASSWORD-REQUIRED"]
    assert client.answer(f"PASSWORD {quoted(password)}") == ["OK"]
    assert client.answer("LOGIN network") == ["OK"]
    assert client.answer("LOGIN network") == ["ERR ALREADY-LOGGED-IN"]
    assert client.answer("GET NUMLOGINS network") == ["NUMLOGINS network 1"]
    client.answer("LOGOUT")
    assert client.ended
    assert Session(client.server).answer("GET NUMLOGINS network") == ["NUMLOGINS network 0"]


def test_a_wrong_password_is_denied() -> None:
    client = session(users={"edged": "right"})
    client.answer("USERNAME edged")
    client.answer("PASSWORD wrong")
    assert client.answer("INSTCMD network outlet.2.load.off") == ["ERR ACCESS-DENIED"]
    assert client.server.units["network"].received == []


def welcome() -> Session:
    client = session()
    client.answer("USERNAME edged")
    client.answer("PASSWORD x")
    return client


def test_a_command_does_what_it_says_and_is_remembered() -> None:
    client = welcome()
    assert client.answer("INSTCMD network outlet.2.load.off 30") == ["OK"]
    assert client.answer("GET VAR network outlet.2.status") == ['VAR network outlet.2.status "off"']
    assert client.server.units["network"].received == [("outlet.2.load.off", "30")]
    assert client.answer("INSTCMD network self.destruct") == ["ERR CMD-NOT-SUPPORTED"]


@pytest.mark.parametrize("outcome", ["PENDING", "SUCCESS", "ERR FAILED"])
def test_a_tracked_command_can_be_asked_about(outcome: str) -> None:
    client = welcome()
    client.server.outcome = outcome
    assert client.answer("SET TRACKING ON") == ["OK"]
    [reply] = client.answer("INSTCMD network outlet.2.load.off")
    ok, tracking, identifier = reply.split()
    assert (ok, tracking) == ("OK", "TRACKING")
    assert client.answer(f"GET TRACKING {identifier}") == [outcome]
    assert client.answer("GET TRACKING 0000") == ["ERR UNKNOWN"]


def test_a_variable_is_set_only_where_it_may_be() -> None:
    client = welcome()
    assert client.answer('SET VAR network ups.delay.start "7 \\"s\\""') == ["OK"]
    assert client.answer("GET VAR network ups.delay.start") == ['VAR network ups.delay.start "7 \\"s\\""']
    assert client.answer("SET VAR network ups.status OFF") == ["ERR READONLY"]


@pytest.mark.parametrize("ailment", [Ailment.STALE, Ailment.DRIVER_LOST])
def test_a_ups_that_ails_says_so_and_the_server_goes_on(ailment: Ailment) -> None:
    client = session()
    client.server.units["network"].ailment = ailment
    assert client.answer("GET VAR network ups.status") == [f"ERR {ailment.value}"]
    assert client.answer("LIST VAR network") == [f"ERR {ailment.value}"]
    assert client.answer("LIST UPS")[0] == "BEGIN LIST UPS"


@given(st.text())
def test_no_line_raises(line: str) -> None:
    assert welcome().answer(line)


@given(st.text(st.characters(blacklist_categories=["Cc", "Cs"])))
def test_what_is_quoted_comes_back_as_it_was(value: str) -> None:
    client = welcome()
    client.answer(f"SET VAR network ups.delay.start {quoted(value)}")
    if value:
        assert client.server.units["network"].variables["ups.delay.start"] == value
