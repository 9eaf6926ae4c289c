"""Who may command the lab's UPSes: fixed, public, for the lab alone."""

USER = "edged"
PASSWORD = "edged-lab"
