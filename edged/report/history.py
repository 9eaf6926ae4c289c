"""Backlog travels in batches: `hist` carries what `edged.record.batch` packs, log events of the backlog, telemetry of
the backlog, tombstones, and everything asked for with `resend`.
"""

from edged.record.batch import CONTENT_TYPE, MAX_BYTES, MAX_INFLATED, MAX_MESSAGES, NoBatch, pack, portions, unpack

__all__ = ["CONTENT_TYPE", "MAX_BYTES", "MAX_INFLATED", "MAX_MESSAGES", "NoBatch", "pack", "portions", "unpack"]
