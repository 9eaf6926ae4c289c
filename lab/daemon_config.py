"""The daemon's configuration for this site: what a person who installs the box there would write."""

from pathlib import Path

from lab import plan


def toml_for(directory: Path) -> str:
    """The text of edged.toml for the lab in `directory`, where the daemon's state and control socket live too."""
    return f"""\
[site]
tenant = "lab"
site = "imaging-1"
state_dir = "{directory}/state"
control_socket = "{directory}/edged.sock"

{"".join(_link(wan) for wan in plan.WANS)}\
[router]
address = "{plan.ROUTER_LAN}"
profile = "peplink"
version = "3"
user = "edged"
auth_password = "edged-lab-auth"
priv_password = "edged-lab-priv"

[[ups]]
name = "network"
host = "10.77.0.50"

[[ups]]
name = "workstation"
host = "10.77.0.50"

[qos]
room_interface = "lan0"
wan_interface = "wan0"

[media]
interface = "br0"
workstation = "10.77.0.20"
audio_port = 5004
video_port = 5006

[phone]
sip = "10.77.0.60:5060"

[mqtt]
host = "198.51.100.10"
port = 1883
"""


def _link(wan: plan.Wan) -> str:
    icmp = ", ".join(f'"{host}"' for host in plan.FAR_HOSTS)
    return f"""\
[[link]]
name = "{wan.link}"
wan = "{wan.index}"
source = "{wan.pin}"
rate_bps = {plan.LINKS[wan.link].rate_bps:.0f}
icmp = [{icmp}]
stamp = ["198.51.100.20"]
tcp = ["198.51.100.30:443"]

"""
