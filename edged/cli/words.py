"""How a state reads at a glance: a word and a colour, from a table. What is unknown says so."""

from rich.table import Table
from rich.text import Text

GOOD, WARN, BAD, DIM = "bold green", "bold yellow", "bold red", "dim"

STYLES: dict[str, str] = {
    # links
    "up": GOOD,
    "degraded": WARN,
    "down": BAD,
    # power
    "mains": GOOD,
    "battery": WARN,
    "low_battery": BAD,
    "off": BAD,
    # contact with instruments
    "ok": GOOD,
    "stale": WARN,
    "driver_lost": WARN,
    "unknown_ups": WARN,
    "server_lost": WARN,
    "answering": GOOD,
    "silent": WARN,
    # router
    "connected": GOOD,
    "standby": "bold cyan",
    "connecting": WARN,
    "health_check_failed": BAD,
    "disconnected": BAD,
    "disabled": DIM,
    # shapers
    "active": GOOD,
    "drifted": WARN,
    "failed": BAD,
    # media, phone, mobile workstation, broker
    "live": GOOD,
    "lost": BAD,
    "reachable": GOOD,
    "heard": GOOD,
    "unreachable": BAD,
    "not connected": WARN,
}

TIER_STYLES = (
    "bold white on green",
    "bold black on yellow",
    "bold white on dark_orange3",
    "bold white on red",
    "bold white on red",
)
NOTHING_KNOWN = ("NOTHING KNOWN YET", "bold white on grey37")
"""Instead of tier 0's word while no link has been heard of: unknown is not well."""
TIER_WORDS = ("ALL WELL", "WATCH", "CONFIRM", "HOLD AND CALL", "HALT")


LINK_CAUSES = {
    # why a link is not simply up; said below its figures
    "none": "",
    "starting": "too few probes yet to know",
    "carrier": "no carrier: cable, modem or router port",
    "no_route": "this box cannot send that way: no address or no route",
    "loss": "nothing comes back",
    "gray_loss": "answers, but loses too much",
    "delay": "answers, but slower than usual",
    "recovering": "answers again, not trusted yet",
    "stalled": "this box itself stood still: nothing new is known",
    "blind": "this box cannot probe: nothing is known",
    "reflector": "probes unanswered, users' traffic still arrives: the far end's fault",
}

ADMISSION_LIMITS = {
    # what keeps one session more out
    "up": "too slow going up",
    "down": "too slow coming down",
    "line": "the line in use is not usable",
    "unknown": "its bandwidth is neither measured nor configured",
}

STANDBY_LACKS = {
    "mtu": "large packets do not pass",
    "dscp": "priority marks are taken off",
    "up_rate": "too slow going up",
    "down_rate": "too slow coming down",
    "no_answer": "the far end does not answer",
    "stale": "the proof is too old",
}


def word(state: str | None) -> Text:
    """The state in capitals and its colour; None is "UNKNOWN", dimmed."""
    shown = (state or "unknown").replace("_", " ").upper()
    return Text(shown, style=STYLES.get(state or "", DIM))


def live(value: bool | None) -> Text:
    return word({True: "live", False: "lost", None: None}[value])


def span(seconds: float | None) -> str:
    """3.2 s, 4m 05s, 2h 10m, 3d 4h; a dash for None."""
    if seconds is None:
        return "–"
    whole = int(seconds)
    if whole < 60:
        return f"{max(seconds, 0.0):.0f} s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}s"
    return (
        f"{whole // 3600}h {whole % 3600 // 60:02d}m"
        if whole < 86_400
        else f"{whole // 86_400}d {whole % 86_400 // 3600}h"
    )


def ago(seconds: float | None) -> str:
    """just now, 12 min ago, 2 h ago, 3 d ago: for what keeps for hours."""
    if seconds is None:
        return "never"
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return "just now"


def short(value: float | None, unit: str = "") -> str:
    """Two digits are enough for an eye: 0.4 ms, 9.8 %, 120 ms; a dash for None."""
    if value is None:
        return "–"
    return f"{value:.{0 if value >= 9.95 else 1}f} {unit}".rstrip()


def mbit(bps: float | None) -> str:
    """94, 9.4, ? for None."""
    return "?" if bps is None else short(bps / 1e6)


def number(value: float | None, unit: str, *, digits: int = 0) -> str:
    return "–" if value is None else f"{value:.{digits}f} {unit}"


def rate(bps: float | None) -> str:
    """Bits a second, short: 95.0M, 8.9k, 0."""
    if bps is None:
        return "–"
    for size, prefix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if bps >= size:
            return f"{bps / size:.1f}{prefix}"
    return f"{bps:.0f}"


_STALE_S = 5.0
"""An age worth a second look; sources tell something every second or so."""


def age(age_s: float | None, *, stale_s: float = _STALE_S) -> Text:
    if age_s is None:
        return Text("never", style=DIM)
    return Text(span(age_s), style=WARN if age_s > stale_s else DIM)


def table(*columns: str) -> Table:
    """Without borders, as wide as it must be."""
    made = Table(box=None, pad_edge=True, padding=(0, 1), header_style=DIM)
    for column in columns:
        made.add_column(column, no_wrap=True)
    return made
