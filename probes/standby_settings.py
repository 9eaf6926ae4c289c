"""What a link that carries nothing must be able to carry, and how often that is proven.

What a proof costs, IP packets both ways, on a link that is fit: 84 B out and back with the mark of real-time media, and
1500 B out and back: 3.2 kB (3.4 kB in the authenticated mode, 40 B more over IPv6). Every two hours that is 1.2 MB a
month, a seventeenth of a small cellular budget of 20 MB; every hour it would be an eighth. A link that drops the large
packets in silence costs some 40 kB the first time and 8 kB each time after, a dead one 0.6 kB a try. The capacity
sample costs what the capacity settings allow: with at most 600 kB a direction, once a week is 5 MB a month, and once a
day 36 MB.
"""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, FilePath, IPvAnyAddress, model_validator

from probes.packets import stamp

_SPARE = 1.25  # of the interval: room for retries before a proof is too old


class StandbySettings(BaseModel):
    """`[links.NAME.standby]`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: IPvAnyAddress
    """Of a STAMP reflector outside, such as `python -m probes.stamp_reflector` at the NOC."""
    port: Annotated[int, Field(ge=1, le=65535)] = stamp.PORT
    key_file: FilePath | None = None
    """Shared key of the authenticated mode; without it, unauthenticated."""
    mtu_bytes: Annotated[int, Field(ge=576, le=9216)] = 1500
    """The IP packet that must cross both ways unfragmented."""
    dscp: Annotated[int, Field(ge=0, le=63)] = 46
    """The mark of real-time media; 46 is EF (RFC 3246)."""
    dscp_needed: bool = True
    """False: it is found out and told, and no reason to call the link unfit. Many providers clear every mark."""
    need_up_mbit: Annotated[float, Field(gt=0, le=10_000)] | None = None
    need_down_mbit: Annotated[float, Field(gt=0, le=10_000)] | None = None
    """What a session takes in each direction; not given, it is not asked."""
    timeout_s: Annotated[float, Field(ge=0.1, le=5)] = 1.0
    """So long an answer is waited for before the packet is sent again; three times make silence."""
    every_s: Annotated[float, Field(ge=60, le=604800)] = 2 * 3600.0
    max_age_s: Annotated[float, Field(ge=75, le=1209600)] = 3 * 3600.0
    """An older proof of MTU and mark proves nothing."""
    sample_every_s: Annotated[float, Field(ge=300, le=2678400)] = 7 * 86400.0
    sample_max_age_s: Annotated[float, Field(ge=375, le=5356800)] = 10 * 86400.0
    """An older capacity sample proves nothing."""

    @model_validator(mode="after")
    def _sound(self) -> Self:
        for name, every_s, age_s in (
            ("max_age_s", self.every_s, self.max_age_s),
            ("sample_max_age_s", self.sample_every_s, self.sample_max_age_s),
        ):
            if age_s < _SPARE * every_s:
                raise ValueError(
                    f"{name} {age_s:g} leaves no room for a retry: give at least {_SPARE * every_s:g}, "
                    f"{_SPARE:g} times the interval"
                )
        if self.address.version == 6 and self.mtu_bytes < 1280:
            raise ValueError(f"mtu_bytes {self.mtu_bytes}: no IPv6 link carries less than 1280")
        return self
