"""The local control socket: JSON lines, roles by group, every write audited."""
