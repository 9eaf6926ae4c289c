"""What can go wrong with the record. A full or failing disk is neither: the store says so in its status and goes on."""


class RecordError(Exception):
    """Base of the room."""


class RecordBroken(RecordError):
    """What lies on the disk is not a record of ours, or cannot be read."""


class RecordMisused(RecordError):
    """We asked for something the record cannot hold or do: a NaN, a second writer, a closed store."""
