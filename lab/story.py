"""The story the demo plays: what happens to the site, what people do, and what must come of it. A table."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """One turn of the story: `lab` and `edgectl` words to say, then wait until `tier` holds, then dwell a moment."""

    title: str
    lab: tuple[str, ...] = ()
    """Commands to the site, as typed after `lab`."""
    people: tuple[str, ...] = ()
    """What the people in the room do, as typed after `edgectl`; {directory} is the lab's."""
    tier: int | None = None
    """The tier to wait for; None waits for nothing."""
    carrier: str | None = None
    """The link that must carry the traffic before the story goes on."""
    condition: str | None = None
    """A condition that must be up ("power.on_battery")."""
    within_s: float = 20.0
    then_s: float = 3.0


STORY: tuple[Step, ...] = (
    Step(
        "Calm: a radiologist is asked for, joins, and watches live; contrast is being given",
        people=("session request s-0001", "session join", "contrast start"),
        tier=0,
        then_s=5,
    ),
    Step("The fiber turns slow: 180 ms more round trip", lab=("lag fiber 180ms",), tier=1, then_s=4),
    Step("The fiber is cut", lab=("cut fiber",), tier=2, then_s=1),
    Step("The router fails over to cellular", carrier="cellular", then_s=3),
    Step(
        "The technologist hears the radiologist and says so",
        people=("continuity --reason line_failed",),
        then_s=2,
    ),
    Step("Mains power is lost: both UPSes carry the room", lab=("mains off",), condition="power.on_battery", then_s=4),
    Step("Cellular is lost too: nobody can see or hear the patient", lab=("cut cellular",), tier=3, then_s=4),
    Step("The direct phone line is dead as well", lab=("phone off",), tier=4, within_s=30, then_s=5),
    Step("Everything heals", lab=("heal all",), carrier="fiber", within_s=60, then_s=1),
    Step("People acknowledge, the call is confirmed", people=("ack", "continuity"), tier=3, then_s=1),
    Step("Tiers come down in the order of their rules", tier=2, within_s=60, then_s=0),
    Step("…until two-way audio and video have been stable long enough", tier=0, within_s=100, then_s=1),
    Step(
        "The procedure ends; what happened can be proven",
        people=("contrast end", "session close", "evidence s-0001 --out {directory}"),
        then_s=2,
    ),
)

EXPECTED_TIERS = (1, 2, 3, 4, 3, 2, 0)
"""The tier events the NOC must hold in the end, each once, in this order."""
