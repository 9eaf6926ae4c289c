"""How a state reads at a glance: a word and a colour, from a table. What is unknown says so."""

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
    # media, phone, broker
    "live": GOOD,
    "lost": BAD,
    "reachable": GOOD,
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
