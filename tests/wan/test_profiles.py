"""A profile that is in no registry is never used: every file that defines one has its line."""

import importlib
import pkgutil

import wan
from wan.profile import Profile
from wan.profiles import PROFILES


def test_every_profile_in_the_room_is_registered_under_its_name() -> None:
    modules = [importlib.import_module(f"wan.{module.name}") for module in pkgutil.iter_modules(wan.__path__)]
    defined = {module.PROFILE for module in modules if isinstance(getattr(module, "PROFILE", None), Profile)}
    assert defined == set(PROFILES.values())
    assert len(defined) >= 2
    assert all(name == profile.name for name, profile in PROFILES.items())
