from pyasn1.codec.ber import decoder
from pysnmp.proto import api

from lab.services.snmp_tree import Interface
from lab.services.snmpd import IF_TABLE_CACHE, configuration, set_integer
from lab.services.world import CALM

WAN0 = Interface(7, "wan0", True, True, 1500, 0, 0, 0, 0, 0, 0, 0, 0)
LOOPBACK = Interface(1, "lo", True, True, 65536, 0, 0, 0, 0, 0, 0, 0, 0)


def test_our_one_set_request_is_read_by_another_codec() -> None:
    v2c = api.PROTOCOL_MODULES[api.SNMP_VERSION_2C]
    message, rest = decoder.decode(set_integer("lab-cache", IF_TABLE_CACHE, 1), asn1Spec=v2c.Message())
    assert rest == b""
    assert v2c.apiMessage.get_community(message) == b"lab-cache"
    pdu = v2c.apiMessage.get_pdu(message)
    assert pdu.isSameTypeWith(v2c.SetRequestPDU())
    [(name, value)] = v2c.apiPDU.get_varbinds(pdu)
    assert (tuple(name), int(value)) == (IF_TABLE_CACHE, 1)


def test_the_wans_interfaces_are_named_as_the_router_names_them_and_others_left_alone() -> None:
    text = configuration(("10.77.0.1", 161), CALM.router, [LOOPBACK, WAN0], "python -m x")
    assert 'override .1.3.6.1.2.1.31.1.1.1.1.7 octet_str "Fiber"' in text
    assert "interface wan0 6 100000000" in text
    assert "interface lo" not in text


def test_it_neither_changes_its_user_nor_listens_elsewhere() -> None:
    text = configuration(("10.77.0.1", 161), CALM.router, [], "python -m x")
    assert "agentaddress udp:10.77.0.1:161\n" in text
    assert "agentuser" not in text.lower()
