"""Debian's snmpd as the lab's router: our own configuration, no system service, no change of user.

It runs as it is, as root and as uid 0 of a single-id user namespace alike: nothing here makes it call setuid. IF-MIB is
its own, with the kernel's counters; the Peplink subtree comes from `lab.services.snmp_pass`. "Silent" is SIGSTOP: the
socket stays, nobody answers.
"""

import asyncio
import os
import shlex
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from lab.services import interfaces
from lab.services.children import Child, running, scratch
from lab.services.errors import PeerError
from lab.services.lifetime import Address
from lab.services.snmp_credentials import AUTH_PASSWORD, COMMUNITY, PRIV_PASSWORD, USER
from lab.services.snmp_tree import PEPLINK, SYS_DESCR, SYS_NAME, Interface, dotted, interface_names, speed_bps
from lab.services.world import Router

PROGRAMS = ("/usr/sbin/snmpd",)
START_S = 10.0
ETHERNET = 6
IF_DESCR = (1, 3, 6, 1, 2, 1, 2, 2, 1, 2)
IF_NAME = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 1)
IF_ALIAS = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 18)

# nsCacheTimeout of ifTable: 3 s as built, so a poll a second would see counters stand still twice and then leap. 1 s is
# the least.
CACHE_COMMUNITY = "lab-cache"
NS_CACHE_TIMEOUT = (1, 3, 6, 1, 4, 1, 8072, 1, 5, 3, 1, 2)
IF_TABLE_CACHE = (*NS_CACHE_TIMEOUT, 1, 3, 6, 1, 2, 1, 2, 2)


def configuration(listen: Address, router: Router, found: list[Interface], pass_command: str) -> str:
    """snmpd.conf(5) for this lab."""
    lines = [
        f"agentaddress udp:{listen[0]}:{listen[1]}",
        f"rocommunity {COMMUNITY}",
        f"rwcommunity {CACHE_COMMUNITY} {listen[0]} {dotted(NS_CACHE_TIMEOUT)}",
        f"createUser {USER} SHA-256 {AUTH_PASSWORD} AES {PRIV_PASSWORD}",
        f"rouser {USER} authpriv",
        f"sysDescr {SYS_DESCR}",
        f"sysObjectID {dotted(PEPLINK)}",
        f"sysName {SYS_NAME}",
        "sysContact lab",
        "sysLocation lab",
        "sysServices 72",
        f"pass_persist {dotted(PEPLINK)} {pass_command}",
    ]
    names = interface_names(router)
    for interface in found:
        if interface.ifname in names:
            name = names[interface.ifname]
            lines += [
                f"interface {interface.ifname} {ETHERNET} {speed_bps(interface.ifname)}",
                f'override {dotted((*IF_DESCR, interface.index))} octet_str "{name}"',
                f'override {dotted((*IF_NAME, interface.index))} octet_str "{name}"',
                f'override {dotted((*IF_ALIAS, interface.index))} octet_str "{interface.ifname}"',
            ]
    return "\n".join(lines) + "\n"


@asynccontextmanager
async def agent(
    program: str, directory: Path, listen: Address, router: Router, *, device_branch: bool
) -> AsyncIterator[Child]:
    """snmpd answering at `listen`."""
    folder = scratch(directory, "snmpd")
    command = [sys.executable, "-m", "lab.services.snmp_pass", "--dir", str(directory)]
    if device_branch:
        command.append("--device-branch")
    config = folder / "snmpd.conf"
    config.write_text(configuration(listen, router, interfaces.read(), shlex.join(command)))
    home = Path(__file__).parents[2]
    environment = {
        "MIBS": "",  # names are of no use to an agent, and the files are often not installed
        "SNMP_PERSISTENT_DIR": str(folder / "state"),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(home), os.environ.get("PYTHONPATH")])),
    }
    arguments = ("-f", "-r", "-LE", "4", "-C", "-c", str(config), "-I", "-smux,hrh_storage,hr_storage,diskio")
    async with running("snmpd", program, *arguments, env=environment) as child:
        await _answers(listen, child)
        yield child


async def _answers(listen: Address, child: Child) -> None:
    """Wait until it answers our one SET, which also makes its counters fresh."""
    loop = asyncio.get_running_loop()
    give_up_s = loop.time() + START_S
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.setblocking(False)
        asking.connect(listen)
        while child.running and loop.time() < give_up_s:
            try:
                await loop.sock_sendall(asking, set_integer(CACHE_COMMUNITY, IF_TABLE_CACHE, 1))
                async with asyncio.timeout(0.1):
                    await loop.sock_recv(asking, 1500)
            except TimeoutError:
                continue
            except ConnectionRefusedError:
                await asyncio.sleep(0.02)
            else:
                return
    raise PeerError(f"snmpd did not answer at {listen[0]}:{listen[1]}")


def set_integer(community: str, oid: tuple[int, ...], value: int) -> bytes:
    """An SNMPv2c SetRequest of one small INTEGER, 0–127 (RFC 3416, BER)."""
    name = bytes([oid[0] * 40 + oid[1]]) + b"".join(_base128(part) for part in oid[2:])
    binding = _tlv(0x30, _tlv(0x06, name) + _tlv(0x02, bytes([value])))
    zero = _tlv(0x02, b"\0")
    pdu = _tlv(0xA3, _tlv(0x02, b"\1") + zero + zero + _tlv(0x30, binding))
    return _tlv(0x30, _tlv(0x02, b"\1") + _tlv(0x04, community.encode()) + pdu)


def _tlv(tag: int, body: bytes) -> bytes:
    """Short form lengths only: every body here is under 128 bytes."""
    return bytes([tag, len(body)]) + body


def _base128(number: int) -> bytes:
    digits = [number & 0x7F]
    while number := number >> 7:
        digits.append(number & 0x7F | 0x80)
    return bytes(reversed(digits))
