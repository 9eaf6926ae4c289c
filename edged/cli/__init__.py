"""What people type: `edged` runs the daemon, `edgectl` talks to it."""
