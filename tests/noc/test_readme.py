"""What README.md says to type works."""

import inspect
import re
import shlex
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509

from edged.cli.evidence import verify
from tests.noc.conftest import KIT
from tests.noc.consumers import CONSUMER

CHECKPOINTS_OPTIONS, VERIFY_OPTIONS = {"--db", "--site", "--keys"}, {"--witness"}
README = (KIT / "README.md").read_text()
SHELL = "\n".join(re.findall(r"```sh\n(.*?)```", README, re.DOTALL))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    subprocess.run(["sh", "-e", "-c", SHELL], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.mark.parametrize(
    ("file", "common_name"), [("broker", "noc.example"), ("noc", "noc"), ("room-1", "clinic/room-1")]
)
def test_certificates_are_made_and_say_who_it_is(made: Path, file: str, common_name: str) -> None:
    certificate = x509.load_pem_x509_certificate((made / f"{file}.pem").read_bytes())
    [name] = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    assert name.value == common_name
    authority = x509.load_pem_x509_certificate((made / "ca.pem").read_bytes())
    certificate.verify_directly_issued_by(authority)


@pytest.mark.parametrize("file", ["broker", "noc", "room-1"])
def test_certificates_stand_the_strictest_check_of_python(made: Path, file: str) -> None:
    """Python 3.13 asks for all that RFC 5280 does."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(made / f"{file}.pem", made / f"{file}.key")
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    client.load_verify_locations(made / "ca.pem")
    shake_hands(client, server)


def shake_hands(client: ssl.SSLContext, server: ssl.SSLContext) -> None:
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [client.wrap_bio(down, up), server.wrap_bio(up, down, server_side=True)]
    for _ in range(4):
        for end in list(ends):
            try:
                end.do_handshake()
                ends.remove(end)
            except ssl.SSLWantReadError:
                continue
    assert not ends


def test_the_service_uses_options_the_consumer_knows() -> None:
    unit = (KIT / "edge-noc.service").read_text().replace("\\\n", " ")
    [start] = re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)
    used = {word for word in shlex.split(start) if word.startswith("--")}
    printed = subprocess.run([sys.executable, str(CONSUMER), "--help"], capture_output=True, text=True, check=True)
    assert used <= set(re.findall(r"--[a-z-]+", printed.stdout))
    known = {*re.findall(r"--[a-z-]+", printed.stdout), *CHECKPOINTS_OPTIONS, *VERIFY_OPTIONS}
    assert set(re.findall(r"(?<!-)--[a-z][a-z-]+", README)) - {"--system", "--now"} <= known


def test_the_tool_beside_it_knows_its_options() -> None:
    words = [sys.executable, str(KIT / "checkpoints.py"), "--help"]
    printed = subprocess.run(words, capture_output=True, text=True, check=True)
    assert set(re.findall(r"--[a-z-]+", printed.stdout)) >= CHECKPOINTS_OPTIONS
    assert set(inspect.signature(verify).parameters) >= {option.removeprefix("--") for option in VERIFY_OPTIONS}


@pytest.mark.parametrize("named", sorted(set(re.findall(r"`([\w.-]+\.(?:conf|py|json|service|yml))`", README))))
def test_files_it_names_are_there(named: str) -> None:
    assert (KIT / named).exists()


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)#:]+)\)", README))
def test_links_lead_somewhere(target: str) -> None:
    assert (KIT / target).exists()


def test_the_consumer_needs_nothing_of_edged() -> None:
    modules = [CONSUMER, *sorted((KIT / "edge_noc").glob("*.py"))]
    imported = {
        name.split(".")[0]
        for module in modules
        for name in re.findall(r"^(?:from|import) ([\w.]+)", module.read_text(), re.MULTILINE)
    }
    assert imported - set(sys.stdlib_module_names) == {"aiomqtt", "edge_noc", "paho", "prometheus_client"}
