#!/usr/bin/env python3
"""The NOC's consumer of edged's telemetry: keeps each event once, acknowledges, asks for what is missing.

    python consumer.py --broker noc.example:8883 --ca ca.pem --cert noc.pem --key noc.key \\
        --tenant clinic --db noc.db --metrics 9110
    python consumer.py --report --db noc.db

It ends, with status 1, when the disk refuses: what is not written must not be acknowledged. Let systemd start it again.
"""

import argparse
import asyncio
import json
import logging
import signal
import ssl
import sys
import time
import uuid
from pathlib import Path

from prometheus_client import CollectorRegistry, start_http_server

from edge_noc.asking import patience
from edge_noc.disk import Disk, DiskRefused
from edge_noc.figures import Figures, Health, OnLoop
from edge_noc.intake import Intake
from edge_noc.line import Broker, Consumer, Wishes
from edge_noc.report import lines, report

log = logging.getLogger("edge_noc")


def main() -> int:
    parser = _arguments()
    chosen = parser.parse_args()
    if (chosen.cert or chosen.key) and not chosen.ca:
        parser.error("--cert and --key need --ca: without it there is no TLS")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    failed = False
    try:
        if chosen.report:
            found = report(chosen.db)
            print(json.dumps(found) if chosen.json else "\n".join(lines(found)))
        else:
            asyncio.run(_consume(chosen))
    except* (DiskRefused, OSError) as group:
        failed = True
        for error in group.exceptions:
            log.error("%s", error)
    return int(failed)


async def _consume(chosen: argparse.Namespace) -> None:
    intake, health, stop = Intake(uuid.uuid4().hex[:12], patience(chosen.patience)), Health(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    disk = Disk(chosen.db)
    try:
        disk.recall(intake, time.monotonic())
        if chosen.metrics:
            registry = CollectorRegistry()
            registry.register(OnLoop(Figures(intake, health, time.monotonic), loop))
            start_http_server(chosen.metrics, chosen.metrics_address, registry)
        await Consumer(_wishes(chosen), intake, disk, health).run(stop)
    finally:
        disk.close()


def _wishes(chosen: argparse.Namespace) -> Wishes:
    return Wishes(
        brokers=(chosen.broker, *chosen.also),
        tenant=chosen.tenant,
        client_id=chosen.client_id,
        tls=_tls(chosen.ca, chosen.cert, chosen.key) if chosen.ca else None,
        mqtt5=chosen.mqtt == "5",
        username=chosen.username,
        password=chosen.password_file.read_text().strip() if chosen.password_file else None,
        keep_telemetry_s=86_400.0 * chosen.keep_days if chosen.keep_days else None,
    )


def _tls(ca: Path, cert: Path | None, key: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if cert:
        context.load_cert_chain(cert, key)
    return context


def _broker(text: str) -> Broker:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise argparse.ArgumentTypeError(f"a broker is HOST:PORT, not {text!r}")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--broker", type=_broker, default=("localhost", 1883), metavar="HOST:PORT")
    add(
        "--also",
        type=_broker,
        action="append",
        default=[],
        metavar="HOST:PORT",
        help="another broker of the same cluster",
    )
    add("--ca", type=Path, metavar="PEM", help="whom we trust; without it no TLS")
    add("--cert", type=Path, metavar="PEM", help="who we are")
    add("--key", type=Path, metavar="PEM")
    add("--username")
    add("--password-file", type=Path)
    add("--mqtt", choices=("5", "3.1.1"), default="5")
    add(
        "--tenant", help="whose NOC this is; without it all tenants are listened to, and none is told that we are there"
    )
    add("--client-id", default="edged-noc", help="names the session the broker keeps for us; one for each consumer")
    add("--db", type=Path, required=True, metavar="FILE", help="where everything is kept (SQLite)")
    add("--keep-days", type=float, default=0, help="telemetry older than this is deleted; 0: never. Events stay")
    add(
        "--patience", type=float, default=5.0, metavar="S", help="a hole that nothing filled for so long is asked about"
    )
    add("--metrics", type=int, metavar="PORT", help="for Prometheus")
    add("--metrics-address", default="127.0.0.1")
    add("--report", action="store_true", help="print what is held of each site, and end")
    add("--json", action="store_true", help="the report as JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
