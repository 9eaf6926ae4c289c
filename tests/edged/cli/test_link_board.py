"""The links as a person reads them: figures in one line, trouble in words, and nothing said that is as it should be."""

import copy
import io
import re
from typing import Any

import pytest
from rich.console import Console, RenderableType
from rich.live import Live

from edged.cli import board, link_board
from edged.cli.words import LINK_CAUSES, STANDBY_LACKS, ago, mbit, short
from edged.core.link_snapshot import link_doc
from probes.reading import LinkCause
from tests.edged.cli.test_alarm_list import alarm
from tests.edged.cli.test_board import AROUND
from tests.edged.core.room import calm_room

CALM: dict[str, Any] = {
    **link_doc(None, 0.0),
    "link": "cellular",
    "carrying": False,
    "verdict": "up",
    "cause": "none",
    "for_s": 61.0,
    "age_s": 0.4,
    "pace": "calm",
    "rtt_ms": 20.12,
    "rtt_p95_ms": 21.5,
    "jitter_ms": 0.41,
    "loss_pct": 0.0,
    "burst_longest": 0,
    "mos": 4.37,
}
LOSSY_UP = {"direction": "up", "loss_pct": 12.3, "delay_above_ms": 0.3, "jitter_ms": 1.0, "lossy": True, "slow": False}
SLOW_DOWN = {**LOSSY_UP, "direction": "down", "loss_pct": 0.0, "delay_above_ms": 35.4, "lossy": False, "slow": True}
JOINT = {"test": "joint", "nats": 23.14, "trip_nats": 22.63, "misses": 14, "pi": 0.012, "q": 0.34}
EVIDENCE = {**JOINT, "votes": 2, "voters": 3}
BUDGET = {"month": "2026-11", "limit_mb": 20.0, "used_mb": 3.141, "left_mb": 16.859, "stretched": False, "over": False}
CAPACITY = {
    "up": {"rate_bps": 94.2e6, "method": "train", "age_s": 7300.0, "confidence": 0.9},
    "down": {"rate_bps": 8.71e6, "method": "train", "age_s": 7200.0, "confidence": 0.9},
}
STANDBY = {"fit": True, "lacks": [], "mtu_bytes": 1500, "dscp_arrived": 46, "proven_age_s": 730.0}
EXIT = {"mapped": "203.0.113.7", "hops": ["192.0.2.1", None, "198.51.100.1"], "age_s": 300.0}


def text(shown: RenderableType, *, width: int = 112) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(shown)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def said(width: int = 112, **link: Any) -> list[str]:
    """The lines below the header."""
    doc = {"links": [{**CALM, **link}]}
    return [line.rstrip() for line in text(board.links(doc, facts=link_board.FACTS), width=width).splitlines()[1:]]


def below(**link: Any) -> str:
    """What is said below the figures."""
    return " ".join(line.strip() for line in said(**link)[1:])


def test_a_link_that_is_well_is_one_line() -> None:
    assert [line.split() for line in said()] == [
        ["cellular", "standby", "UP", "1m", "01s", "20/22", "ms", "0.4", "ms", "0.0", "%", "4.4", "calm"]
    ]


def test_what_is_not_known_is_a_dash() -> None:
    unheard: dict[str, Any] = link_doc(None, 0.0)
    (line, _) = said(**unheard, carrying=None)
    assert line.split() == ["cellular", "?", "UNKNOWN", *6 * ["–"]]


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ({"age_s": 12.0}, "not heard of for 12 s"),
        ({"verdict": "down", "cause": "carrier"}, "no carrier: cable, modem or router port"),
        ({"verdict": "down", "cause": "loss"}, "nothing comes back"),
        (
            {"verdict": "down", "cause": "loss", "evidence": EVIDENCE, "burst_longest": 300},
            "silent: 14 misses in a row, 23.1 of 22.6 nats",
        ),
        (
            {"verdict": "down", "cause": "loss", "evidence": {**EVIDENCE, "test": "votes"}},
            "silent: 2 of 3 targets",
        ),
        (
            {"verdict": "degraded", "cause": "reflector", "evidence": EVIDENCE},
            "probes unanswered, users' traffic still arrives: the far end's fault",
        ),
        ({"verdict": "degraded", "cause": "gray_loss"}, "answers, but loses too much"),
        ({"verdict": "degraded", "cause": "gray_loss", "ways": [LOSSY_UP]}, "loss going up 12 %"),
        (
            {"verdict": "degraded", "cause": "delay", "ways": [{**LOSSY_UP, "lossy": False}, SLOW_DOWN]},
            "35 ms slower going down",
        ),
        ({"ways": [LOSSY_UP, SLOW_DOWN]}, "loss going up 12 %, 35 ms slower going down"),
        ({"burst_longest": 4}, ""),
        ({"burst_longest": 7}, "up to 7 lost in a row"),
        ({"cause": "something_new"}, "something new"),
        ({"budget": BUDGET}, "data 3.1 of 20 MB"),
        ({"budget": {**BUDGET, "stretched": True}}, "asked less often to save data · data 3.1 of 20 MB"),
        (
            {"budget": {**BUDGET, "stretched": True, "over": True, "used_mb": 21.2}},
            "data budget used up, asked at the slowest · data 21 of 20 MB",
        ),
        ({"capacity": CAPACITY}, "capacity up 94/down 8.7 Mbit/s (train, 2 h ago)"),
        (
            {"capacity": {**CAPACITY, "up": None}},
            "capacity up ?/down 8.7 Mbit/s (train, 2 h ago)",
        ),
        (
            {"capacity": {**CAPACITY, "up": {**CAPACITY["up"], "method": "ramp", "age_s": 30.0}}},
            "capacity up 94/down 8.7 Mbit/s (ramp/train, 2 h ago)",
        ),
        ({"capacity": {"up": None, "down": None}}, ""),
        ({"standby": None, "capacity": None, "exit": None}, ""),
        ({"standby": STANDBY}, "fit to stand by, proven 12 min ago"),
        ({"standby": {**STANDBY, "fit": None, "proven_age_s": None}}, "not proven as a standby yet"),
        (
            {"standby": {**STANDBY, "fit": False, "lacks": ["mtu", "stale", "new_code"]}},
            "not fit to stand by: large packets do not pass, the proof is too old, new code",
        ),
    ],
)
def test_what_is_said_below_the_figures(link: dict[str, Any], expected: str) -> None:
    assert below(**link) == expected


@pytest.mark.parametrize(
    ("mos", "style"), [(4.4, ""), (3.6, ""), (3.59, "bold yellow"), (3.1, "bold yellow"), (3.09, "bold red")]
)
def test_a_poor_call_is_seen_at_a_glance(mos: float, style: str) -> None:
    assert link_board._mos(mos).style == style


def test_the_columns_of_two_links_stand_below_each_other() -> None:
    other = {**CALM, "link": "x", "verdict": "degraded", "rtt_ms": 120.4, "rtt_p95_ms": 340.2, "cause": "none"}
    header, *lines = text(board.links({"links": [CALM, other]})).splitlines()
    for name, cells in (
        ("STATE", ("UP", "DEGRADED")),
        ("RTT/p95", ("20/22 ms", "120/340 ms")),
        ("MOS", ("4.4", "4.4")),
    ):
        assert [line[header.index(name) :].startswith(cell) for line, cell in zip(lines, cells, strict=True)] == [1, 1]


@pytest.mark.parametrize("cause", LinkCause)
def test_every_cause_has_words(cause: LinkCause) -> None:
    assert bool(LINK_CAUSES[cause.value]) == (cause is not LinkCause.NONE)


def test_every_lack_of_a_standby_has_words() -> None:
    assert STANDBY_LACKS.keys() == {"mtu", "dscp", "up_rate", "down_rate", "no_answer", "stale"}


def test_the_grounds_of_a_verdict_and_the_door_a_link_leaves_by() -> None:
    unseen = {**LOSSY_UP, "direction": "down", "loss_pct": None, "delay_above_ms": None, "jitter_ms": None}
    shown = text(
        link_board.grounds(
            {"links": [{**CALM, "budget": BUDGET, "evidence": EVIDENCE, "ways": [LOSSY_UP, unseen], "exit": EXIT}]}
        )
    )
    assert [line.strip() for line in shown.splitlines()] == [
        "cellular  data 3.1 of 20 MB",
        "cellular  judged by joint: 23.1 of 22.6 nats (a first loss 1.2 %, a further one 34 %)",
        "cellular  up: loss 12 %, 0.3 ms above usual, jitter 1.0 ms",
        "cellular  leaves by 203.0.113.7 over 192.0.2.1 → * → 198.51.100.1, seen 5 min ago",
    ]


def test_a_link_that_is_well_rests_on_no_alarm() -> None:
    calm = {**EVIDENCE, "test": "none", "nats": 0.0, "misses": 0}
    assert "no test alarms: 0.0 of 22.6 nats" in text(link_board.grounds({"links": [{**CALM, "evidence": calm}]}))


@pytest.mark.parametrize(
    ("admission", "expected"),
    [
        ({"sessions": 1, "limited_by": "up"}, "1 session fits, 2 do not"),
        ({"sessions": 3, "limited_by": "up"}, "3 sessions fit, 4 do not"),
        ({"sessions": 0, "limited_by": "line"}, "no session fits: the line in use is not usable"),
        ({"sessions": 0, "limited_by": "down"}, "no session fits: too slow coming down"),
    ],
)
def test_how_many_sessions_fit_stands_beside_the_session(admission: Any, expected: str) -> None:
    doc = {**calm_room().doc(), "admission": admission}
    assert text(board.session(doc), width=160).splitlines()[-1].strip() == expected


# ── on the screen ──────────────────────────────────────────────────────────────────────────────────────
def everything(*, trouble: bool) -> dict[str, Any]:
    room = calm_room().media(audio=False, video=False).wait(13) if trouble else calm_room()
    doc: dict[str, Any] = copy.deepcopy({**room.doc(), **AROUND, "admission": {"sessions": 1}})
    wan = {"state": "connected", "healthy": True, "signal_dbm": None, "rx_bps": 5e6, "tx_bps": 4e6}
    doc["router"]["wans"] = [{"wan": str(n), "link": f"l{n}", "name": f"WAN {n}", **wan} for n in (0, 1)]
    doc["unwatched"] = []
    doc["qos"].append({**doc["qos"][0], "interface": "ifb-wan0", "direction": "down"})
    for link in doc["links"]:
        link.update(mos=4.37, pace="session", capacity=CAPACITY, budget=BUDGET, standby=STANDBY)
        if trouble:
            link.update(verdict="degraded", cause="gray_loss", for_s=3559.0, loss_pct=12.3, jitter_ms=32.1)
            link.update(rtt_ms=120.4, rtt_p95_ms=340.2, ways=[LOSSY_UP, SLOW_DOWN], burst_longest=7)
    if trouble:
        doc["alarms"] = [alarm("link.degraded cellular")]
    return doc


def screen(doc: dict[str, Any], width: int, height: int) -> list[str]:
    """As `edgectl watch` draws it."""
    file = io.StringIO()
    console = Console(file=file, width=width, height=height, force_terminal=True, color_system=None)
    with Live(screen=True, auto_refresh=False, console=console) as live:
        file.truncate(file.seek(0))
        live.update(board.board(doc), refresh=True)
        drawn = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", file.getvalue())
    return [line.rstrip() for line in drawn.splitlines()]


@pytest.mark.parametrize(("width", "height"), [(80, 24), (112, 40)])
@pytest.mark.parametrize("trouble", [False, True])
def test_the_board_fits_the_screen_down_to_its_last_line(width: int, height: int, trouble: bool) -> None:
    lines = screen(everything(trouble=trouble), width, height)
    while not lines[-1]:
        lines.pop()
    assert len(lines) <= height
    assert "…" not in "".join(lines)
    assert lines[-1].startswith(" NOW    link.degraded cellular" if trouble else " NOC ")
    assert all(re.search(rf"^ {name}\b", "\n".join(lines), re.MULTILINE) for name in ("fiber", "cellular", "QOS"))


def test_a_small_screen_leaves_out_what_is_merely_good_to_know() -> None:
    large, small = ("\n".join(screen(everything(trouble=True), *size)) for size in ((112, 40), (80, 24)))
    for trouble in ("loss going up 12 %", "35 ms slower going down", "link.degraded"):
        assert trouble in large
        assert trouble in small
    assert "capacity" in large
    assert "capacity" not in small
    assert "QOS    ACTIVE as planned: wan0 95.0M, ifb-wan0 95.0M" in small


def test_what_is_not_as_planned_is_told_in_full_on_any_screen() -> None:
    doc = everything(trouble=False)
    doc["qos"][0] = {**doc["qos"][0], "state": "drifted"}
    doc["ups"][0] = {**doc["ups"][0], "power": "battery"}
    shown = "\n".join(screen(doc, 80, 24))
    assert "DRIFTED" in shown
    assert "BATTERY" in shown


def test_printed_to_a_file_nothing_is_left_out() -> None:
    shown = text(board.board(everything(trouble=True)), width=160)
    assert "capacity up 94" in shown
    assert "ifb-wan0  down" in shown


# ── words ──────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(None, "never"), (59, "just now"), (60, "1 min ago"), (7199, "1 h ago"), (86_400 * 3.5, "3 d ago")],
)
def test_ages_that_keep(seconds: float | None, expected: str) -> None:
    assert ago(seconds) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(None, "–"), (0.04, "0.0 ms"), (9.94, "9.9 ms"), (9.96, "10 ms"), (120.4, "120 ms")]
)
def test_figures_have_two_digits_or_no_decimals(value: float | None, expected: str) -> None:
    assert short(value, "ms") == expected


@pytest.mark.parametrize(("bps", "expected"), [(None, "?"), (9.4e6, "9.4"), (94.6e6, "95"), (1e9, "1000")])
def test_rates_of_a_line(bps: float | None, expected: str) -> None:
    assert mbit(bps) == expected
