"""The plan is data that names itself: every name it uses must be one it has."""

from ipaddress import ip_address, ip_interface

from lab import plan

PORTS = [port for cable in plan.CABLES for port in (cable.a, cable.b)]
EVERYWHERE = {*PORTS, *plan.BRIDGES}


def test_every_port_is_cabled_once_with_a_mac_of_its_own() -> None:
    assert len(set(PORTS)) == len(PORTS)
    assert len({port.mac for port in EVERYWHERE}) == len(EVERYWHERE)


def test_names_are_known_and_fit_the_kernel() -> None:
    assert {port.node for port in EVERYWHERE} == set(plan.NODES)
    assert all(len(port.ifname) <= 15 for port in EVERYWHERE)
    assert set(plan.FORWARDING) < set(plan.NODES)
    assert set(plan.LINKS) == {wan.link for wan in plan.WANS}


def test_addresses_bridges_and_neighbours_are_at_ports_there_are() -> None:
    assert set(plan.ADDRESSES) <= EVERYWHERE
    assert {plan.Port(bridge.node, port) for bridge, ports in plan.BRIDGES.items() for port in ports} <= set(PORTS)
    assert {neighbour.at for neighbour in plan.NEIGHBOURS} <= set(PORTS)


def test_each_gateway_is_next_door_to_the_node_that_routes_by_it() -> None:
    for route in plan.ROUTES:
        networks = [
            ip_interface(text).network
            for at, texts in plan.ADDRESSES.items()
            if at.node == route.node
            for text in texts
        ]
        assert any(ip_address(route.via) in network for network in networks), route


def test_each_address_is_given_once() -> None:
    addresses = [address for texts in plan.ADDRESSES.values() for address in texts]
    assert len(set(addresses)) == len(addresses)


def test_pins_are_asked_before_the_connected_networks_and_the_active_wan_after_them() -> None:
    main = 32766
    assert all((rule.priority < main) == (rule.source is not None) for rule in plan.RULES)
    assert {rule.source: rule.table for rule in plan.RULES} == {
        "10.77.0.11": 101, "10.77.0.12": 102, "100.64.1.2": 101, "100.64.2.2": 102, None: 100,
    }  # fmt: skip


def test_silence_falls_on_hosts_of_the_internet_and_leaves_the_router_one_to_ask() -> None:
    silent = {rule.source for rule in plan.SILENCE}
    assert silent == {"198.51.100.20", "198.51.100.40"}
    assert {f"{host}/24" for host in silent} <= set(plan.ADDRESSES[plan.Port("internet", "ix0")])
    assert plan.PLATFORM not in silent
    assert set(plan.FAR_HOSTS) - silent
    assert all(rule.table is None for rule in plan.SILENCE)
