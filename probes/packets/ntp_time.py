"""64-bit wire timestamps: NTP (RFC 5905, era and all) and PTPv2 truncated (RFC 8186), to and from Unix nanoseconds.

Both carry only 32 bits of seconds, so reading one needs to know roughly when it was written: NTP rolls over in 2036,
PTP in 2106.
"""

NTP_EPOCH_S = 2_208_988_800
"""Seconds from 1900-01-01 to 1970-01-01."""

_SECOND_NS = 1_000_000_000
_ROLLOVER_NS = (1 << 32) * _SECOND_NS


def to_ntp(unix_ns: int) -> int:
    """The NTP timestamp of `unix_ns`, nanoseconds since 1970, as one 64-bit integer (seconds 32.fraction 32)."""
    seconds, rest_ns = divmod(unix_ns, _SECOND_NS)
    # Rounded up, or 232 ps of truncation would lose a nanosecond on the way back.
    fraction = ((rest_ns << 32) + _SECOND_NS - 1) // _SECOND_NS
    return ((seconds + NTP_EPOCH_S) % (1 << 32)) << 32 | fraction


def from_ntp(stamp: int, *, near_ns: int) -> int:
    """Unix nanoseconds of an NTP timestamp, in the era that puts it nearest to `near_ns`."""
    seconds, fraction = stamp >> 32, stamp & 0xFFFF_FFFF
    return _nearest((seconds - NTP_EPOCH_S) * _SECOND_NS + (fraction * _SECOND_NS >> 32), near_ns)


def from_ptp(stamp: int, *, near_ns: int) -> int:
    """Nanoseconds of a PTPv2 truncated timestamp (seconds 32, nanoseconds 32), nearest to `near_ns`.

    PTP counts TAI, 37 s ahead of Unix time since 2017: only differences of two such stamps mean anything here.
    """
    return _nearest((stamp >> 32) * _SECOND_NS + (stamp & 0xFFFF_FFFF), near_ns)


def _nearest(unix_ns: int, near_ns: int) -> int:
    return unix_ns + (near_ns - unix_ns + _ROLLOVER_NS // 2) // _ROLLOVER_NS * _ROLLOVER_NS
