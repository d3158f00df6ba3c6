"""The networks of the stories: a server with two uplinks, homes behind routers with NATs, a player without one.

```
  ada --eth0-- lan --- router1 --wan--+          +--s1-- server --- bob
                   \-- router2 --wan--+-- core --+--s2--/
```
"""

from __future__ import annotations

from typing import List

from world import FORWARDING, Namespace, World, call

SERVER = {1: "198.18.1.2", 2: "198.18.2.2"}
"""The server's address at each uplink."""
SERVER_V6 = {1: "2001:db8:1::2", 2: "2001:db8:2::2"}
SERVER_FOR_BOB = "10.9.9.1"
WAN = {1: "198.19.1.2", 2: "198.19.2.2"}
"""What the world sees of a home behind each router."""
DIRECT = "198.19.9.2"
"""The address of a player without a router."""
FORWARDER = "198.19.66.2"
"""An address at which nobody is but the relay itself."""
NAME = "server.test"


class Server:
    """The server's machine, and Bob's, who is beside it: his way does not lead over the core."""

    def __init__(self, world: World, uplinks: "tuple[int, ...]" = (1,)):
        self.machine = world.machine("server")
        self.bob_machine = world.machine("bob")
        world.link(self.machine, "b0", self.bob_machine, "eth0")
        self.machine.ip(f"addr add {SERVER_FOR_BOB}/24 dev b0")
        self.bob_machine.ip("addr add 10.9.9.2/24 dev eth0")
        for number in (1, 2):
            world.link(world.core, f"s{number}", self.machine, f"s{number}")
            world.core.ip(
                f"addr add 198.18.{number}.1/24 dev s{number}", f"addr add 2001:db8:{number}::1/64 dev s{number} nodad"
            )
            if number in uplinks:
                self.attach(number)
            else:
                self.detach(number)

    def attach(self, number: int) -> None:
        """Brings an uplink up; the first is preferred."""
        device, metric = f"s{number}", 100 * number
        self.machine.ip(
            f"link set {device} up",
            f"addr replace {SERVER[number]}/24 dev {device}",
            f"addr replace {SERVER_V6[number]}/64 dev {device} nodad",
            f"route replace default via 198.18.{number}.1 dev {device} metric {metric}",
            f"route replace default via 2001:db8:{number}::1 dev {device} metric {metric}",
        )

    def detach(self, number: int) -> None:
        """The cable of an uplink is pulled, and its addresses go."""
        self.machine.ip(f"link set s{number} down", f"addr flush dev s{number}")


class Router:
    """A home's router: a NAT for IPv4, and a firewall that lets in only what was asked for."""

    def __init__(self, world: World, number: int, random_ports: bool = False):
        self.machine = world.machine(f"router{number}")
        self.number = number
        self.machine.settings(FORWARDING)
        world.link(self.machine, "wan", world.core, f"r{number}")
        world.core.ip(
            f"addr add 198.19.{number}.1/24 dev r{number}",
            f"addr add 2001:db8:a{number}::1/64 dev r{number} nodad",
            f"route add 2001:db8:c{number}::/64 via 2001:db8:a{number}::2",
        )
        self.machine.ip(
            f"addr add {WAN[number]}/24 dev wan",
            f"addr add 2001:db8:a{number}::2/64 dev wan nodad",
            f"route add default via 198.19.{number}.1",
            f"route add default via 2001:db8:a{number}::1",
        )
        # Without `random_ports` the NAT keeps a client's port where it can, as most do.
        self.machine.nft(NAT.replace("MODE", "fully-random" if random_ports else ""))

    def serve(self, lan_address: str) -> None:
        """Gives the side of the home an address: `192.168.1.1/24`."""
        self.machine.ip(f"addr add {lan_address} dev lan")

    def serve_v6(self) -> None:
        """The same for IPv6: `2001:db8:c1::1/64` at the first router."""
        self.machine.ip(f"addr add 2001:db8:c{self.number}::1/64 dev lan nodad")

    def forget(self) -> None:
        """The NAT forgets its mappings; with `random_ports` the next ones have other ports."""
        call(*self.machine.command("conntrack", "-F"))

    def fail(self) -> None:
        """Drops all datagrams from now on, and says nothing."""
        self.machine.nft(DEAD)

    def recover(self) -> None:
        """Ends `fail`."""
        self.machine.nft("delete table inet dead\n")


class Home:
    """Ada's machine on a LAN with some routers."""

    def __init__(self, world: World, routers: int = 2, random_ports: bool = False):
        self.ada = world.machine("ada")
        self.lan = world.machine("lan")
        self.lan.ip("link add br0 type bridge mcast_snooping 0", "link set br0 up")
        self.routers: List[Router] = [Router(world, number + 1, random_ports) for number in range(routers)]
        self._plug(world, self.ada, "eth0", "p0")
        for router in self.routers:
            self._plug(world, router.machine, "lan", f"p{router.number}")
            router.serve(f"192.168.1.{router.number}/24")
        self.ada.ip("addr add 192.168.1.10/24 dev eth0")
        self.use(1)

    def use(self, number: int) -> None:
        """The default route leads to another router."""
        self.ada.ip(f"route replace default via 192.168.1.{number}")

    def _plug(self, world: World, machine: Namespace, device: str, port: str) -> None:
        world.link(machine, device, self.lan, port)
        self.lan.ip(f"link set {port} master br0")


class TwoNetworks:
    """Ada's machine with two interfaces, each on a network with a router of its own; `eth0` is preferred."""

    def __init__(self, world: World):
        self.ada = world.machine("ada")
        self.routers = [Router(world, 1), Router(world, 2)]
        for number, router in enumerate(self.routers, 1):
            device = f"eth{number - 1}"
            world.link(self.ada, device, router.machine, "lan")
            router.serve(f"192.168.{number}.1/24")
            self.ada.ip(
                f"addr add 192.168.{number}.10/24 dev {device}",
                f"route add default via 192.168.{number}.1 dev {device} metric {100 * number}",
            )


class Direct:
    """Ada's machine with an address that all can reach."""

    def __init__(self, world: World):
        self.ada = world.machine("ada")
        world.link(world.core, "d0", self.ada, "eth0")
        world.core.ip("addr add 198.19.9.1/24 dev d0")
        self.ada.ip(f"addr add {DIRECT}/24 dev eth0", "route add default via 198.19.9.1")


NAT = """
table ip nat {
  chain post {
    type nat hook postrouting priority 100
    policy accept
    oifname "wan" masquerade MODE
  }
}
table inet guard {
  chain into {
    type filter hook input priority 0
    policy accept
    iifname "wan" meta l4proto udp drop
  }
  chain through {
    type filter hook forward priority 0
    policy accept
    ct state established,related accept
    iifname "wan" drop
  }
}
"""

DEAD = """
table inet dead {
  chain pre {
    type filter hook prerouting priority -300
    policy accept
    meta l4proto udp drop
  }
}
"""
