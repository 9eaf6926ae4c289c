"""Commands for a site, signed: make a key, sign a command, send it and wait for the answer.

    python command.py keygen --name noc-1 --out noc-1.pem
    python command.py sign --key noc-1.pem --name noc-1 --site clinic/room-1 session_open session=s-17 > open.json
    python command.py send --broker broker.example:8883 --ca ca.pem --cert noc.pem --cert-key noc.key open.json

Signing needs no network: the key may live on a machine that has none. The same message may be sent again as often as
one likes: the site does it once, and tells its first answer again. Needs aiomqtt and cryptography.

Exit status of `send`: 0 done, 1 refused, 2 used wrongly, 3 no answer in time, 4 no broker.
"""

import argparse
import asyncio
import base64
import getpass
import json
import os
import ssl
import sys
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from pathlib import Path
from urllib.parse import urlsplit

import aiomqtt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

DOMAIN = b"edged-command-v1\n"
LONGEST_S = 24 * 3600
_OF_A_SESSION = ("session", "room")
_OF_A_LINK = ("link",)
COMMANDS = {
    "session_request": _OF_A_SESSION,
    "session_join": _OF_A_SESSION,
    "session_open": _OF_A_SESSION,
    "session_close": _OF_A_SESSION,
    "contrast_start": _OF_A_SESSION,
    "contrast_end": _OF_A_SESSION,
    "monitoring_end": _OF_A_SESSION,
    "escalate": _OF_A_SESSION,
    "phone_failed": _OF_A_SESSION,
    "diagnose": _OF_A_LINK,
    "prove": _OF_A_LINK,
    "train": _OF_A_LINK,
}
"""Everything a site can be asked, and what each names: the first always, the others where a site needs them."""
REFUSED_BY_BROKER = 0x80
"""MQTT 5, 2.4: this reason code and those above."""
Said = Mapping[str, "str | int | Mapping[str, str | int]"]


class Exit(IntEnum):
    DONE = 0
    REFUSED = 1
    MISUSED = 2
    NO_ANSWER = 3
    NO_BROKER = 4


class Misused(Exception):
    """The message names the file or the option."""


def main(words: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(words)
    try:
        return int(options.run(options))
    except Misused as error:
        print(f"command: {error}", file=sys.stderr)
        return Exit.MISUSED


# ── keygen ─────────────────────────────────────────────────────────────────────────────────────────────
def keygen(options: argparse.Namespace) -> int:
    """Writes the private key, prints what goes into the site's edged.toml."""
    key = Ed25519PrivateKey.generate()
    lock: KeySerializationEncryption = NoEncryption()
    if options.passphrase:
        lock = BestAvailableEncryption(_asked_twice())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)
    try:
        with open(os.open(options.out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
    except OSError as error:
        raise Misused(f"{options.out}: {error.strerror}") from error
    public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
    print(f'[commands.keys.{options.name}]\npublic_key = "{public}"\nrole = "operate"\nallow = ["session_open"]')
    return Exit.DONE


def _asked_twice() -> bytes:
    first, second = getpass.getpass("passphrase: "), getpass.getpass("again: ")
    if not first or first != second:
        raise Misused("the passphrases differ, or are empty")
    return first.encode()


# ── sign ───────────────────────────────────────────────────────────────────────────────────────────────
def sign(options: argparse.Namespace) -> int:
    """Prints the signed message."""
    names, (needed, *more) = [name for name, _ in options.args], COMMANDS[options.command]
    if needed not in names or len(set(names)) < len(names) or not {needed, *more}.issuperset(names):
        also = f" and may have {', '.join(more)}=…" if more else ""
        raise Misused(f"{options.command} needs {needed}=…{also}, not {', '.join(names) or 'nothing'}")
    begin = options.not_before or datetime.now(UTC)
    said: Said = {
        "command": options.command,
        "id": options.id or str(uuid.uuid4()),
        "site": options.site,
        "key": options.name,
        "not_before": _rfc3339(begin),
        "expires": _rfc3339(begin + timedelta(seconds=options.valid_s)),
        "args": dict(options.args),
    }
    print(json.dumps(signed(said, _private_key(options.key))))
    return Exit.DONE


def signed(said: Said, key: Ed25519PrivateKey) -> Said:
    """With the signature in it."""
    return {**said, "signature": base64.b64encode(key.sign(DOMAIN + canonical(said))).decode()}


def canonical(said: Said) -> bytes:
    """As RFC 8785 spells strings, integers below 2^53 and objects whose keys are ASCII: more is in no command."""
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _private_key(path: Path) -> Ed25519PrivateKey:
    pem = _read(path)
    try:
        try:
            key = load_pem_private_key(pem, None)
        except TypeError:  # it has a passphrase
            key = load_pem_private_key(pem, getpass.getpass(f"passphrase of {path}: ").encode())
    except ValueError as error:
        raise Misused(f"{path}: no private key, or another passphrase") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise Misused(f"{path}: not an Ed25519 key")
    return key


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# ── send ───────────────────────────────────────────────────────────────────────────────────────────────
def send(options: argparse.Namespace) -> int:
    """Prints the answer."""
    payload = _read(options.message) if options.message else sys.stdin.buffer.read()
    try:
        said = json.loads(payload)
        site, identity = str(said["site"]), str(said["id"])
    except (ValueError, KeyError, TypeError) as error:
        raise Misused(f"{options.message or 'stdin'}: no signed command") from error
    try:
        answer = asyncio.run(_exchange(options, site, identity, payload))
    except aiomqtt.MqttError as error:
        print(f"command: {options.broker[0]}: {error}", file=sys.stderr)
        return Exit.NO_BROKER
    except TimeoutError:
        print("command: no answer; send the same message again: it is done once only", file=sys.stderr)
        return Exit.NO_ANSWER
    print(json.dumps(answer))
    return Exit.DONE if answer.get("status") == "done" else Exit.REFUSED


async def _exchange(options: argparse.Namespace, site: str, identity: str, payload: bytes) -> dict[str, object]:
    """The data of the answer. Raises TimeoutError and MqttError."""
    async with _client(options) as client:
        granted = await client.subscribe(f"edge/v1/{site}/cmd/res", qos=1)
        if any(getattr(code, "value", code) >= REFUSED_BY_BROKER for code in granted):
            raise aiomqtt.MqttError(f"we may not hear the answers of {site}")
        await client.publish(f"edge/v1/{site}/cmd/req", payload, qos=1)
        async with asyncio.timeout(options.wait_s):
            async for message in client.messages:
                if (data := _data(message.payload)) and data.get("id") == identity:
                    return data
    raise TimeoutError


def _data(payload: object) -> dict[str, object] | None:
    """Of a CloudEvent; None for what is none."""
    if not isinstance(payload, bytes):
        return None
    try:
        data = json.loads(payload)["data"]
    except (ValueError, KeyError, TypeError):
        return None
    return data if isinstance(data, dict) else None


def _client(options: argparse.Namespace) -> aiomqtt.Client:
    host, port = options.broker
    tls = _tls(options) if options.ca or options.cert or options.tls else None
    return aiomqtt.Client(
        host,
        port or (8883 if tls else 1883),
        username=options.username,
        password=_read(options.password_file).decode().strip() if options.password_file else None,
        tls_context=tls,
        protocol=aiomqtt.ProtocolVersion.V5 if options.mqtt == "5" else aiomqtt.ProtocolVersion.V311,
        timeout=10.0,
    )


def _tls(options: argparse.Namespace) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=options.ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if options.cert:
            context.load_cert_chain(options.cert, options.cert_key)
    except OSError as error:  # ssl.SSLError is one
        raise Misused(f"--ca, --cert or --cert-key: {error}") from error
    return context


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Misused(f"{path}: {error.strerror}") from error


# ── the command line ───────────────────────────────────────────────────────────────────────────────────
def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="command.py", description="Signed commands for a site.")
    verbs = parser.add_subparsers(required=True)

    make = verbs.add_parser("keygen", help="make a key; prints what the site must know of it")
    make.add_argument("--name", required=True, help="as the site will call it: a-z, 0-9, dashes")
    make.add_argument("--out", type=Path, required=True, help="file for the private key; must not exist")
    make.add_argument("--passphrase", action="store_true", help="ask for one to lock it with")
    make.set_defaults(run=keygen)

    write = verbs.add_parser("sign", help="print a signed command")
    write.add_argument("--key", type=Path, required=True, help="the private key, PEM")
    write.add_argument("--name", required=True, help="the key's name in the site's configuration")
    write.add_argument("--site", type=_site, required=True, metavar="TENANT/SITE")
    write.add_argument("--id", help="unique for this command; without: a random one")
    write.add_argument("--not-before", type=_moment, metavar="TIME", help="RFC 3339 with its zone; without: now")
    write.add_argument("--valid-s", type=_seconds, default=300, help="for so long; 86400 at most (300)")
    write.add_argument("command", choices=list(COMMANDS))
    write.add_argument(
        "args", nargs="*", type=_pair, metavar="NAME=VALUE", help="session=… (and room=… of several), or link=…"
    )
    write.set_defaults(run=sign)

    post = verbs.add_parser("send", help="send a signed command and wait for its answer")
    post.add_argument("--broker", type=_broker, required=True, metavar="HOST[:PORT]")
    post.add_argument("--tls", action="store_true", help="TLS, trusting the system's authorities")
    post.add_argument("--ca", type=Path, help="TLS, trusting this authority")
    post.add_argument("--cert", type=Path, help="our certificate")
    post.add_argument("--cert-key", type=Path, help="its key; without: it is in --cert")
    post.add_argument("--username")
    post.add_argument("--password-file", type=Path)
    post.add_argument("--mqtt", choices=("5", "3.1.1"), default="5")
    post.add_argument("--wait-s", type=float, default=15.0, help="for the answer (15)")
    post.add_argument("message", type=Path, nargs="?", help="what `sign` printed; without: stdin")
    post.set_defaults(run=send)
    return parser


def _site(text: str) -> str:
    tenant, _, name = text.partition("/")
    if not tenant or not name or "/" in name or any(sign in text for sign in "+#"):
        raise argparse.ArgumentTypeError(f"{text!r} is not TENANT/SITE")
    return text


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text!r} does not say its zone, such as Z")
    return moment


def _seconds(text: str) -> int:
    seconds = int(text)
    if not 0 < seconds <= LONGEST_S:
        raise argparse.ArgumentTypeError(f"{seconds} is not 1 to {LONGEST_S}")
    return seconds


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def _broker(text: str) -> tuple[str, int | None]:
    parts = urlsplit(f"//{text}")
    if not parts.hostname:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return parts.hostname, parts.port


if __name__ == "__main__":
    sys.exit(main())
