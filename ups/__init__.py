"""Power, through Network UPS Tools."""
