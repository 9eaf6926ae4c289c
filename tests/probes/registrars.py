"""Registrars to ask on loopback: Debian's kamailio, and the lab's own double, both with the one subscriber 17."""

import asyncio
import os
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

DOMAIN = "lab.test"
PASSWORD = "a line's secret"
READY_S, GONE_S = 10.0, 3.0

_KAMAILIO = """
debug=1
log_stderror=yes
children=1
tcp_children=1
auto_aliases=no
dns=no
rev_dns=no
listen=udp:127.0.0.1:{port}
listen=tcp:127.0.0.1:{port}
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
modparam("usrloc", "db_mode", 0)
modparam("usrloc", "timer_interval", 1)
modparam("registrar", "min_expires", 1)
modparam("auth", "algorithm", "{algorithm}")
{counting}
request_route {{
  if (is_method("OPTIONS")) {{ sl_send_reply("200", "OK"); exit; }}
  if (!is_method("REGISTER")) {{ sl_send_reply("405", "Method Not Allowed"); exit; }}
  {guard}
  save("location");
  exit;
}}
"""
_GUARD = """if ($au != "17" || !pv_www_authenticate("lab.test", "{password}", "0")) {{
    www_challenge("lab.test", "{qop}");
    exit;
  }}"""


_PROXY = """if (!pv_proxy_authenticate("proxy.test", "{password}", "0")) {{
    proxy_challenge("proxy.test", "1");
    exit;
  }}
  """
_COUNTING = (
    'modparam("auth", "nonce_count", 1)\nmodparam("auth", "nc_array_size", 64)\nmodparam("auth", "nc_array_order", 4)'
)


@dataclass(frozen=True)
class Method:
    """How it wants a password: none at all, or digest with or without qop."""

    algorithm: str | None
    qop: bool = True
    proxy: bool = False
    """Of kamailio alone: a proxy before it wants one as well, and both count how often a nonce is answered."""


OPEN = Method(None)
METHODS = (Method("MD5"), Method("MD5", qop=False), Method("SHA-256"))


@dataclass
class Running:
    port: int
    process: asyncio.subprocess.Process

    async def kill(self) -> None:
        """At once, with every child of its own: it says goodbye to nobody."""
        os.killpg(self.process.pid, signal.SIGKILL)
        await self.process.wait()


@asynccontextmanager
async def kamailio(method: Method) -> AsyncIterator[Running]:
    with tempfile.TemporaryDirectory(prefix="sip-") as folder:
        port = _free_port()
        guards = (_PROXY if method.proxy else "") + (_GUARD if method.algorithm else "")
        guard = guards.format(password=PASSWORD, qop=1 if method.qop else 0)
        algorithm, counting = method.algorithm or "MD5", _COUNTING if method.proxy else ""
        config = Path(folder, "kamailio.cfg")
        config.write_text(_KAMAILIO.format(port=port, algorithm=algorithm, guard=guard, counting=counting))
        async with _running(
            port, "/usr/sbin/kamailio", "-f", str(config), "-DD", "-E", "-Y", folder, "-m", "16", "-M", "4"
        ) as registrar:
            yield registrar


@asynccontextmanager
async def double(method: Method) -> AsyncIterator[Running]:
    with tempfile.TemporaryDirectory(prefix="sip-") as folder:
        port = _free_port()
        guard = ["--user", f"17:{PASSWORD}", "--algorithm", method.algorithm] if method.algorithm else []
        guard += [] if method.qop else ["--no-qop"]
        program = (sys.executable, "-m", "lab.services.phone")
        async with _running(port, *program, "--dir", folder, "--listen", f"127.0.0.1:{port}", *guard) as registrar:
            yield registrar


Open = Callable[[Method], AbstractAsyncContextManager[Running]]


@asynccontextmanager
async def _running(port: int, *command: str) -> AsyncIterator[Running]:
    """From when it accepts connections on. A process group of its own, ended with the `with`."""
    with tempfile.TemporaryFile() as told:
        process = await asyncio.create_subprocess_exec(*command, stdout=told, stderr=told, start_new_session=True)
        registrar = Running(port, process)
        try:
            await _accepting(port, process)
            yield registrar
        except TimeoutError as error:
            told.seek(0)
            error.add_note(told.read().decode(errors="replace"))
            raise
        finally:
            if process.returncode is None:
                process.terminate()  # kamailio then ends its children itself
                await asyncio.wait({asyncio.ensure_future(process.wait())}, timeout=GONE_S)
            if process.returncode is None:
                await registrar.kill()


async def _accepting(port: int, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(READY_S):
        while process.returncode is None:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return
        raise TimeoutError(f"ended by itself with status {process.returncode}")


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
