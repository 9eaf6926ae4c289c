"""The contract of everything a site says, and of what the NOC may say to it: codes, names, numbers and ids, no text.

docs/asyncapi.yaml and docs/schemas are made from here: `python -m edged.contract`.
"""

from edged.contract.fitting import UNKNOWN_KIND, fit
from edged.contract.kinds import KINDS

__all__ = ["KINDS", "UNKNOWN_KIND", "fit"]
