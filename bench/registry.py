"""The benches, one row each. A bench is a module with a `main` that takes its options from `sys.argv`; it is imported
when it is run, so that listing them costs nothing."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bench:
    module: str
    does: str


BENCHES: dict[str, Bench] = {
    "qos": Bench("bench.qos", "what a full uplink adds to the delay of supervision, with QoS and without (7 minutes)"),
    "footprint": Bench("bench.footprint", "what the idle daemon costs: CPU, memory, start (2 minutes)"),
    "probing": Bench("bench.probing", "what probing two links costs, at each pace (40 seconds)"),
    "detect": Bench(
        "bench.detect", "how soon a dead line is known, beside other monitors, and false alarms (15 minutes)"
    ),
    "report": Bench("bench.report", "is anything lost on its way to the NOC, and what reporting costs (25 minutes)"),
    "capacity": Bench("bench.capacity", "how right bandwidth figures are, and how soon the ramp gives way (2 minutes)"),
    "fleet": Bench(
        "bench.fleet", "how many events 2,000 sites bring through one broker, and a broker's death (8 minutes)"
    ),
    "media": Bench(
        "bench.media", "how soon lost audio and video are known, on real WebRTC, and what it costs (5 minutes)"
    ),
}


def listing() -> str:
    """One line a bench."""
    width = max(map(len, BENCHES))
    rows = [f"  {name:{width}}  {bench.does}" for name, bench in BENCHES.items()]
    return "\n".join(["Usage: python -m bench NAME [OPTIONS]", *rows])
