"""A phone that registers itself at a real registrar, with digest authentication and a parser of its own."""

import asyncio
import hashlib
import re
import secrets
import socket
from dataclasses import dataclass

_GIVEN = re.compile(r'([a-z]+)=(?:"([^"]*)"|([^\s,"]+))')
WITHIN_S = 3.0


@dataclass
class Subscriber:
    """`aor` as "17@lab.test"; speaks UDP to 127.0.0.1."""

    port: int
    aor: str
    password: str | None

    async def register(self, contact: str, expires_s: int = 600) -> list[str]:
        """Add or refresh a binding; 0 s removes it, and "*" with 0 s all. The bindings that remain, as listed."""
        return await self._ask(f"Contact: {contact if contact == '*' else f'<{contact}>'}", f"Expires: {expires_s}")

    async def bindings(self) -> list[str]:
        return await self._ask()

    async def _ask(self, *lines: str) -> list[str]:
        call_id, realm_line = secrets.token_hex(8), ""
        for cseq in (1, 2):
            answer = await self._exchange(self._request(call_id, cseq, *lines, *filter(None, [realm_line])))
            if not answer.startswith("SIP/2.0 401 "):
                assert answer.startswith("SIP/2.0 200 "), answer
                return re.findall(r"<(sip:[^>]*)>;expires", answer)
            realm_line = self._authorization(answer)
        raise AssertionError(f"refused: {answer}")

    def _request(self, call_id: str, cseq: int, *lines: str) -> bytes:
        rows = [
            f"REGISTER sip:{self.aor.partition('@')[2]} SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK{secrets.token_hex(6)};rport",
            f"From: <sip:{self.aor}>;tag={call_id}",
            f"To: <sip:{self.aor}>",
            f"Call-ID: {call_id}",
            f"CSeq: {cseq} REGISTER",
            "Max-Forwards: 70",
            *lines,
            "Content-Length: 0",
        ]
        return ("\r\n".join(rows) + "\r\n\r\n").encode()

    def _authorization(self, answer: str) -> str:
        challenge = re.search(r"^WWW-Authenticate: Digest (.*?)\r$", answer, re.MULTILINE)
        assert challenge, answer
        given = {name: quoted or plain for name, quoted, plain in _GIVEN.findall(challenge[1])}
        made = {"MD5": "md5", "SHA-256": "sha256"}[given.get("algorithm", "MD5")]
        user, _, domain = self.aor.partition("@")

        def digest(text: str) -> str:
            return hashlib.new(made, text.encode()).hexdigest()

        who, what = digest(f"{user}:{given['realm']}:{self.password}"), digest(f"REGISTER:sip:{domain}")
        counted = ":00000001:abc:auth" if "qop" in given else ""
        response = digest(f"{who}:{given['nonce']}{counted}:{what}")
        return (
            f'Authorization: Digest username="{user}", realm="{given["realm"]}", nonce="{given["nonce"]}", '
            f'uri="sip:{domain}", algorithm={given.get("algorithm", "MD5")}, response="{response}"'
            + (', qop=auth, nc=00000001, cnonce="abc"' if counted else "")
        )

    async def _exchange(self, request: bytes) -> str:
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
            own.setblocking(False)
            own.connect(("127.0.0.1", self.port))
            async with asyncio.timeout(WITHIN_S):
                await loop.sock_sendall(own, request)
                return (await loop.sock_recv(own, 8192)).decode()
