"""Makes an interface send what a network card sends: frames of at most the MTU with their checksums filled in.

A veth pair otherwise hands 64 KB segments with unfinished checksums across, which no wire carries, no queue should
count as one packet, and no AF_PACKET relay can pass on.
"""

import array
import fcntl
import socket
import struct

SIOCETHTOOL = 0x8946
# linux/ethtool.h: each switches one thing off when its value is 0. Scatter-gather goes with the checksums.
ETHTOOL_STXCSUM, ETHTOOL_SSG, ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO = 0x17, 0x19, 0x1F, 0x24, 0x2C


def switch_off_offloads(control: socket.socket, ifname: str) -> None:
    """`control` is any datagram socket of the interface's namespace. Raises OSError when the kernel refuses."""
    for command in (ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SSG, ETHTOOL_STXCSUM, ETHTOOL_SGRO):
        value = array.array("B", struct.pack("=II", command, 0))
        address, _ = value.buffer_info()
        fcntl.ioctl(control, SIOCETHTOOL, struct.pack("16sP16x", ifname.encode(), address))
