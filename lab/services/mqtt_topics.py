"""MQTT topic names and filters (MQTT 5, 4.7), pure."""

SHARED = "$share/"


def valid_topic(topic: str) -> bool:
    """May a message be published there?"""
    return topic != "" and not set(topic) & set("+#\0")


def valid_filter(pattern: str) -> bool:
    """May somebody subscribe to it? `#` stands last and alone in its level, `+` alone in its level."""
    if pattern == "" or "\0" in pattern:
        return False
    *init, last = pattern.split("/")
    return all("#" not in level for level in init) and all(
        level in ("+", "#") or not set(level) & set("+#") for level in (*init, last)
    )


def matches(pattern: str, topic: str) -> bool:
    """Does a valid filter cover a valid topic? Wildcards in front never cover topics that begin with `$`."""
    if topic.startswith("$") and pattern[:1] in ("+", "#"):
        return False
    wanted, levels = pattern.split("/"), topic.split("/")
    for place, level in enumerate(wanted):
        if level == "#":
            return True
        if place >= len(levels) or level not in ("+", levels[place]):
            return False
    return len(wanted) == len(levels)
