"""Who may ask what: the kernel says who is calling, groups give the role, a table says what each role may do (H2)."""

import grp
import os
import pwd
import socket
import struct
from dataclasses import dataclass
from enum import IntEnum

from pydantic import BaseModel, ConfigDict


class Role(IntEnum):
    NONE = 0
    VIEW = 1
    OPERATE = 2
    ADMIN = 3


class RoleSettings(BaseModel):
    """Groups whose members have a role. Root and the daemon's own account are always admin."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    view: tuple[str, ...] = ("edged-view",)
    operate: tuple[str, ...] = ("edged-operate",)
    admin: tuple[str, ...] = ("edged-admin",)


NEEDED: dict[str, Role] = {
    "status": Role.VIEW,
    "events": Role.VIEW,
    "watch": Role.VIEW,
    "incidents": Role.VIEW,
    "incident": Role.VIEW,
    "act": Role.OPERATE,
    "platform": Role.OPERATE,
    "evidence": Role.OPERATE,
    "ask": Role.OPERATE,
    "reload": Role.ADMIN,
}


@dataclass(frozen=True, slots=True)
class Caller:
    uid: int
    name: str
    role: Role


def caller_of(sock: socket.socket, settings: RoleSettings) -> Caller:
    """The process at the other end, by SO_PEERCRED and SO_PEERGROUPS (unix(7)): the kernel's word, not the caller's."""
    _pid, uid, gid = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    gids = {gid, *_peer_groups(sock)}
    return Caller(uid, _account(uid), role_of(uid, gids, settings))


def role_of(uid: int, gids: set[int], settings: RoleSettings) -> Role:
    """The highest role any of the caller's groups gives."""
    if uid in (0, os.geteuid()):
        return Role.ADMIN
    for role, groups in ((Role.ADMIN, settings.admin), (Role.OPERATE, settings.operate), (Role.VIEW, settings.view)):
        if gids & {gid for group in groups if (gid := _gid(group)) is not None}:
            return role
    return Role.NONE


_SO_PEERGROUPS = 59  # asm-generic/socket.h; not in the socket module


def _peer_groups(sock: socket.socket) -> tuple[int, ...]:
    try:
        raw = sock.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, 1024)
    except OSError:  # ERANGE: in more than 256 groups; the primary one then has to do
        return ()
    return struct.unpack(f"{len(raw) // 4}I", raw)


def _gid(group: str) -> int | None:
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:  # not created on this box: nobody is in it
        return None


def _account(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid{uid}"
