"""The daemon's configuration for this site: what a person who installs the box there would write."""

from pathlib import Path

from lab import plan


def toml_for(directory: Path) -> str:
    """The text of edged.toml for the lab in `directory`, where the daemon's state and control socket live too."""
    links = "".join(map(_link, plan.WANS))
    return _SITE.format(directory=directory, links=links, router=plan.ROUTER_LAN)


_SITE = """\
# The site in the lab. config/edged.toml explains every key.
[site]
tenant = "lab"
name = "room-1"
state_dir = "{directory}/state"

[control]
socket = "{directory}/control.sock"

{links}\
[router]
host = "{router}"
profile = "peplink"
version = "3"
user = "edged"
auth_password = "edged-lab-auth"
priv_password = "edged-lab-priv"

[ups.network]
host = "10.77.0.50"
covers = ["router", "ont", "cellular gateway", "switch", "edge box"]

[ups.workstation]
host = "10.77.0.50"
load = "workstation"
covers = ["workstation", "monitor", "camera"]

[[qos.interfaces]]
name = "wan0"
direction = "up"
[[qos.interfaces]]
name = "lan0"
direction = "down"
[[qos.p1.ports]]
protocol = "udp"
port = "5004-5006"
host = "198.51.100.30"
[[qos.p1.ports]]
host = "198.51.100.40"
[[qos.p1.ports]]
host = "198.51.100.20"
[[qos.p2.ports]]
protocol = "tcp"
port = 443
host = "198.51.100.30"
[[qos.p2.ports]]
protocol = "tcp"
port = 1883
host = "198.51.100.10"

[media]
interface = "lan0"
room_networks = ["10.77.0.0/24"]
platform_networks = ["198.51.100.30/32"]
[media.audio]
ports = [5004]
payload_types = [111]
[media.video]
ports = [5006]
payload_types = [96]

[phone]
host = "10.77.0.60"
interval_s = 2

[broker]
host = "198.51.100.10"
"""


def _link(wan: plan.Wan) -> str:
    role = "primary" if wan.index == "0" else "backup"
    mbit = plan.LINKS[wan.link].rate_bps / 1e6
    icmp = plan.FAR_HOSTS[0]
    return f"""\
[links.{wan.link}]
role = "{role}"
provider = "{wan.link}-isp"
wan = "{wan.index}"
source = "{wan.pin}"
up_mbit = {mbit:g}
down_mbit = {mbit:g}
targets = [
  {{ kind = "icmp", address = "{icmp}" }},
  {{ kind = "stamp", address = "198.51.100.20" }},
  {{ kind = "tcp", address = "198.51.100.30", port = 443 }},
]

"""
