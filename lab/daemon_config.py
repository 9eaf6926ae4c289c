"""The daemon's configuration for this site: what a person who installs the box there would write."""

from pathlib import Path

from lab import plan
from lab.service import Media


def toml_for(directory: Path, media: Media = "rtp") -> str:
    """The text of edged.toml for the lab in `directory`, where the daemon's state and control socket live too."""
    links = "\n".join(_link(wan, directory) for wan in plan.WANS)
    hints, ports = (_HINTS, "5004-5006") if media == "rtp" else ("", "32768-65535")
    return _SITE.format(
        directory=directory,
        links=links,
        router=plan.ROUTER_LAN,
        hints=hints,
        media_ports=ports,
        mobile=_mobile(directory / plan.MOBILE_KEY_FILE),
    )


def _mobile(key_file: Path) -> str:
    """A lab without services has no mobile workstation to be heard."""
    return _MOBILE.format(address=plan.BOX_FOR_MOBILE, key_file=key_file) if key_file.exists() else ""


def _link(wan: plan.Wan, directory: Path) -> str:
    return _LINK.format(
        wan=wan,
        role="primary" if wan.index == "0" else "backup",
        mbit=f"{plan.LINKS[wan.link].rate_bps / 1e6:g}",
        probed=plan.FAR_HOSTS[0],
        platform=plan.PLATFORM,
        reflector=plan.REFLECTOR,
        door=_door(directory / plan.CA_FILE),
        directory=directory,
        metered=_METERED.format(wan=wan, reflector=plan.REFLECTOR) if wan.index != "0" else "",
    )


def _door(ca_file: Path) -> str:
    """The platform's, as a target. A lab without services has no authority that could vouch for it."""
    kind, trusted = "tcp", ""
    if ca_file.exists():
        kind, trusted = "tls", f', server_name = "{plan.PLATFORM_NAME}", ca_file = "{ca_file}"'
    return f'{{ kind = "{kind}", address = "{plan.PLATFORM}", port = 443{trusted} }}'


# Three hosts vote at the fast pace, so that none of them is the link; the platform's own door is asked seldom.
_LINK = """\
[links.{wan.link}]
role = "{role}"
provider = "{wan.link}-isp"
wan = "{wan.index}"
source = "{wan.pin}"
up_mbit = {mbit}
down_mbit = {mbit}
targets = [
  {{ kind = "icmp", address = "{probed}" }},
  {{ kind = "icmp", address = "{platform}" }},
  {{ kind = "stamp", address = "{reflector}" }},
  {door},
]
{metered}\
[links.{wan.link}.exit]
address = "{reflector}"
[links.{wan.link}.capacity]
address = "{reflector}"
key_file = "{directory}/capacity.key"
"""
_METERED = """\
monthly_mb = 2000
mcc_mnc = "001-01"                  # the mobile workstation is in 001-02, both test networks of ITU-T E.212
paces = {{ calm_s = 1.0 }}
[links.{wan.link}.standby]
address = "{reflector}"
need_up_mbit = 6
need_down_mbit = 6
"""

# WebRTC takes the ports the kernel gives it, and payload types as agreed: the observer must see by itself.
_HINTS = """\
[media.audio]
ports = [5004]
payload_types = [111]
[media.video]
ports = [5006]
payload_types = [96]
"""

# Heard every second, so that a test need not wait ten for silence.
_MOBILE = """\
[mobile]
address = "{address}"
key_file = "{key_file}"
silence_s = 5
interval_s = 1

"""

_SITE = """\
# The site in the lab. config/edged.toml explains every key.
[site]
tenant = "lab"
name = "room-1"
state_dir = "{directory}/state"

[control]
socket = "{directory}/control.sock"

{links}
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
port = "{media_ports}"
host = "198.51.100.30"
# The box's own probes: in p4 a full upload would look like a slow link.
[[qos.p1.ports]]
host = "198.51.100.40"
[[qos.p1.ports]]
protocol = "udp"
port = "862-863"
host = "198.51.100.20"
[[qos.p2.ports]]
protocol = "udp"
port = 3478
host = "198.51.100.20"
[[qos.p2.ports]]
protocol = "udp"
port = 53
host = "198.51.100.20"
[[qos.p2.ports]]                   # what is no media at the platform: its web door, and the probes of it
host = "198.51.100.30"
[[qos.p2.ports]]
protocol = "tcp"
port = 1883
host = "198.51.100.10"
[[qos.p3.ports]]                   # capacity samples: above what is uploaded, below what is alive
protocol = "udp"
port = 8620
host = "198.51.100.20"

[media]
interface = "lan0"
room_networks = ["10.77.0.0/24"]
platform_networks = ["198.51.100.30/32"]
{hints}
[phone]
host = "10.77.0.60"
interval_s = 2
[phone.registrar]
host = "10.77.0.60"
aor = "direct@lab.test"
interval_s = 2

{mobile}\
[broker]
host = "198.51.100.10"
"""
