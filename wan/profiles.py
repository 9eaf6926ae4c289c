"""The registry of vendor profiles: one line each."""

from collections.abc import Mapping

from wan import generic, peplink
from wan.profile import Profile

PROFILES: Mapping[str, Profile] = {
    profile.name: profile
    for profile in (
        generic.PROFILE,
        peplink.PROFILE,
    )
}
