"""What runs on a node of the site, said as data.

`lab.services.services_for` gives a tuple of these. The lab runs `python -m MODULE --dir DIR ARGS…` inside the node's
namespace and waits for one line `ready` on its stdout; what else it prints goes to DIR/log/NAME.log. A service polls
DIR/world.json for what it should be doing.
"""

from dataclasses import dataclass
from typing import Literal

Media = Literal["rtp", "webrtc"]
"""What the supervision session's media are: plain RTP, which is cheap, or real WebRTC."""


@dataclass(frozen=True, slots=True)
class Service:
    """One program of the site. `name` is unique and names its log; `node` is one of `lab.plan.NODES`."""

    name: str
    node: str
    module: str
    args: tuple[str, ...] = ()
