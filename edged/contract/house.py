"""What the daemon says of itself: its comings and goings, its instruments, its clock, its record."""

from typing import Literal

from edged.contract.words import (
    ClockQuality,
    Contents,
    ErrorName,
    Hash,
    Release,
    Sequence,
    SignedSeconds,
    Source,
)


class DaemonPhase(Contents):
    """The daemon came or goes: between two of these nobody watched. `record` is what it found on the disk."""

    version: Release
    config_hash: Hash
    record: Literal["continued", "fresh", "set_aside"]


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
