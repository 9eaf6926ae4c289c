"""What the daemon says of itself: its comings and goings, its instruments, its clock, its record."""

from typing import Literal

from edged.contract.words import (
    Base64,
    ClockQuality,
    Contents,
    ErrorName,
    Hash,
    ProtocolVersion,
    Release,
    Sequence,
    SignedSeconds,
    Source,
    Uuid,
)


class DaemonPhase(Contents):
    """The daemon came or goes: between two of these nobody watched. `record` is what it found on the disk. `protocol`
    is the version of the protocol file whose sentences are shown, `protocol_hash` says which text that is.
    """

    version: Release
    config_hash: Hash
    record: Literal["continued", "fresh", "set_aside"]
    protocol: ProtocolVersion | None
    protocol_hash: Hash | None


class SourceFailed(Contents):
    """An instrument broke and is being restarted; told at the 1st, 10th, 100th and 1000th failure of a row."""

    source: Source
    error: ErrorName
    failures: Sequence


class ClockStepped(Contents):
    """The wall clock jumped against the monotonic one, forwards where `by_s` is positive."""

    by_s: SignedSeconds
    clockq: ClockQuality


class LeapAnnounced(Contents):
    """A leap second at the end of this UTC day."""

    leap: Literal["insert", "delete"]


class RecordCoalesced(Contents):
    """The reserve for tier events was full: so many were folded into a tombstone."""

    events: Sequence


class LedgerCheckpoint(Contents):
    """The box signed the head of its record: row `at` of `stream` has this hash, and every row before it hangs on it.
    To be kept: it is the witness. `signature` is Ed25519 (RFC 8032), as docs/telemetry.md says; `key` the fingerprint
    of `public_key`.
    """

    stream: Uuid
    at: Sequence
    row_hash: Hash
    key: Hash
    public_key: Base64
    signature: Base64
    version: Release | None = None
    config_hash: Hash | None = None
    protocol: ProtocolVersion | None = None
    protocol_hash: Hash | None = None
