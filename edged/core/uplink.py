"""Which link the connection to the NOC belongs on: the primary one, another only while that is dead or worse. Pure.

Moving costs a handshake (about 5 kB with mutual TLS), so a degraded link is left only for one that is well.
"""

from edged.core.plan import Plan
from edged.core.state import State
from probes.reading import Verdict

_RANK = {Verdict.UP: 0, Verdict.UNKNOWN: 0, Verdict.DEGRADED: 1, Verdict.DOWN: 2}
"""Nothing is known for the first second or two of a daemon's life: no reason to leave home."""


def best_link(plan: Plan, state: State) -> str | None:
    """None while every link is judged dead: the verdicts may be wrong about the NOC, so the router may try its luck."""
    ranks = {link.name: _rank(state, link.name) for link in plan.links}
    living = {name: rank for name, rank in ranks.items() if rank < _RANK[Verdict.DOWN]}
    if not living:
        return None
    wanted = min(living, key=lambda name: (living[name], name != plan.primary.name, name))
    now = state.reported_via
    stay = now in living and living[now] == living[wanted] and now != plan.primary.name and wanted != plan.primary.name
    return now if stay else wanted


def _rank(state: State, name: str) -> int:
    link = state.links.get(name)
    return _RANK[link.reading.verdict if link else Verdict.UNKNOWN]
