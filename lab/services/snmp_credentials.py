"""Who may ask the lab's router: fixed, public, for the lab alone."""

COMMUNITY = "edged-lab"
USER = "edged"
AUTH_PASSWORD = "edged-lab-auth"  # SHA-256
PRIV_PASSWORD = "edged-lab-priv"  # AES-128
