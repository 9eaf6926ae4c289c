"""What can go wrong with the black box. A full or failing disk is neither: the next header says so, and it goes on."""


class BlackBoxError(Exception):
    """Base of the room."""


class BlackBoxBroken(BlackBoxError):
    """What lies there is no recording of ours, or holds what this software does not know. Names file, line, field."""


class BlackBoxMisused(BlackBoxError):
    """We asked it to spell something it has no spelling for."""
