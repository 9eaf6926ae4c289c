"""What the NOC holds, read from the consumer's file, and whether it is what the daemon recorded."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class NocCopy:
    """Follows DIR/noc.jsonl. Each line is an event seen for the first time, with how often it came again."""

    path: Path
    events: list[dict[str, Any]] = field(default_factory=list)
    _offset: int = 0

    def read(self) -> list[dict[str, Any]]:
        """The events that came since the last call; an unfinished line waits for the next."""
        if not self.path.exists():
            return []
        with self.path.open("rb") as file:
            file.seek(self._offset)
            whole, _, _ = file.read().rpartition(b"\n")
        if not whole:
            return []
        self._offset += len(whole) + 1
        new = [json.loads(line) for line in whole.splitlines()]
        self.events += new
        return new

    def tier_events(self) -> list[dict[str, Any]]:
        return [each["event"] for each in self.events if "/evt/t" in each["topic"]]


def compare(copy: NocCopy, recorded: list[dict[str, Any]], expected: tuple[int, ...]) -> list[str]:
    """What is wrong with the NOC's copy; empty when it holds every expected tier event exactly once."""
    held = copy.tier_events()
    keys = [(event["stream"], event["sequence"]) for event in held]
    wanted = [(event["stream"], event["sequence"]) for event in recorded if event["type"] == TIER_EVENT]
    wrong = [f"tier event {key} came twice after de-duplication" for key in sorted(set(keys)) if keys.count(key) > 1]
    wrong += [f"tier event {key} was recorded and never arrived" for key in wanted if key not in keys]
    wrong += [f"tier event {key} arrived and was never recorded" for key in keys if key not in wanted]
    tiers = tuple(event["tier"] for event in sorted(held, key=lambda event: int(event["sequence"])))
    if tiers != expected:
        wrong.append(f"the tiers told are {tiers}, expected were {expected}")
    return wrong


TIER_EVENT = "edge.tier.entered.v1"
