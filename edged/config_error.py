"""What is wrong with a file the site wrote."""

from pathlib import Path


class ConfigError(Exception):
    """The file cannot be used. One line a mistake, each naming file, key and value."""

    def __init__(self, path: Path, mistakes: list[str]) -> None:
        super().__init__("\n".join(f"{path}: {mistake}" for mistake in mistakes))
        self.mistakes = mistakes
