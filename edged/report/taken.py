"""What a PUBACK says (MQTT 5, 3.4.2.1). Pure."""

from enum import StrEnum


class Taken(StrEnum):
    YES = "yes"
    UNHEARD = "unheard"  # 0x10, no matching subscribers
    REFUSED = "refused"

    @classmethod
    def of(cls, code: int) -> "Taken":
        if code >= 0x80:
            return cls.REFUSED
        return cls.UNHEARD if code == 0x10 else cls.YES
