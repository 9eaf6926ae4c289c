"""What can be done to a running site, one row a command: how it is written, and a function that does it and says in
one line what it did.

Commands come as the words of a command line. A mistake raises LabMisuse and then nothing was changed.
"""

from collections.abc import Sequence

from lab.command import Answer, Command, Site
from lab.errors import LabMisuse
from lab.link_commands import LINK_COMMANDS
from lab.site_commands import SITE_COMMANDS
from lab.words import Words

COMMANDS: dict[str, Command] = LINK_COMMANDS | SITE_COMMANDS


async def obey(site: Site, words: Sequence[str]) -> Answer:
    """Carry out one command line. Raises LabError."""
    if not words or words[0] not in COMMANDS:
        raise LabMisuse(f"no command {words[0] if words else ''!r}; there are {', '.join(COMMANDS)}")
    command = COMMANDS[words[0]]
    return await command.run(site, Words(words[1:], command.usage))
