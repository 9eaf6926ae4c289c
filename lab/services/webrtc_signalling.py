"""How the two ends of a WebRTC call agree: over TCP to the platform, one JSON line with the offer, one with the answer.

    workstation → {"offer": "v=0…"}      platform → {"answer": "v=0…"}

The connection stays open for as long as the call: an end that gives it up closes it. Candidates are all in the SDP.
"""

import json

from lab.services.errors import PeerError

PORT = 8089
LINE_BYTES = 1 << 16
"""An SDP with two media and one candidate has 3 kB."""


def to_line(kind: str, sdp: str) -> bytes:
    return json.dumps({kind: sdp}).encode() + b"\n"


def from_line(line: bytes, kind: str) -> str:
    """The SDP. Raises PeerError where the line is anything else."""
    try:
        said = json.loads(line)
    except ValueError as error:  # UnicodeDecodeError is one too
        raise PeerError(f"the other end's {kind} is no JSON: {error}") from error
    sdp = said.get(kind) if isinstance(said, dict) else None
    if not isinstance(sdp, str):
        raise PeerError(f"the other end sent no {kind}")
    return sdp
