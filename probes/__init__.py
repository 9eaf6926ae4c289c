"""How a link, the media on it and the phone line are doing. Knows nothing of the daemon that asks."""
