"""Servers that are found on a local network, beside a neighbour who would like others to be found."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import Callable, Dict, List

from forger import Forger
from ping import ping
from players import Process, make_key
from stage import Stage, story
from world import FORWARDING, Namespace

SERVERS = {"anna": ("10.6.0.1", 7447), "ben": ("10.6.0.2", 7555)}
CLIENTS = ("ada", "bob", "cleo")
LOOKING = 25.0
"""Seconds for which the clients look."""


class Lan:
    """A bridge, two servers, three clients and a forger on it; a router to a network with a machine far away."""

    def __init__(self, stage: Stage):
        world = stage.world
        self.bridge = world.machine("lan")
        self.bridge.ip("link add br0 type bridge mcast_snooping 0", "link set br0 up")
        self.machines: Dict[str, Namespace] = {}
        hosts = {name: place[0] for name, place in SERVERS.items()}
        hosts.update({name: f"10.6.0.{11 + number}" for number, name in enumerate(CLIENTS)})
        hosts.update({"forger": "10.6.0.66", "router": "10.6.0.254"})
        for number, (name, address) in enumerate(hosts.items()):
            machine = self.machines[name] = world.machine(name)
            world.link(machine, "eth0", self.bridge, f"p{number}")
            self.bridge.ip(f"link set p{number} master br0")
            machine.ip(f"addr add {address}/24 dev eth0")
            if name != "router":
                machine.ip("route add default via 10.6.0.254")
        self.far = self.machines["far"] = world.machine("far")
        self.machines["router"].settings(FORWARDING)
        world.link(self.machines["router"], "eth1", self.far, "eth0")
        self.machines["router"].ip("addr add 10.7.0.1/24 dev eth1")
        self.far.ip("addr add 10.7.0.2/24 dev eth0", "route add default via 10.7.0.1")


class Search:
    """`roamkey servers` of all clients, and what they have found."""

    def __init__(self, stage: Stage, lan: Lan, ids: Dict[str, str]):
        self.ids = ids
        self.begun: Dict[str, float] = {}
        self.processes: Dict[str, Process] = {}
        for name in CLIENTS:
            self.begun[name] = time.time()
            words = ("servers", "--app", "galaxy/1", "--wait", f"{LOOKING:g}")
            self.processes[name] = Process(lan.machines[name], name, stage.options.directory, *words)

    def when(self, event: str, server: str, after: float) -> float:
        """When the last of the clients was told, after a moment; waits for it."""
        times: List[float] = []
        for process in self.processes.values():

            def found(process: Process = process) -> List[Dict]:
                return process.all(event, after, server=self.ids[server])

            process.wait(found, f"{event} {server}", 10)
            times.append(found()[0]["time"])
        return max(times)


@story("13", "discovery", 32)
def servers_are_found(stage: Stage) -> None:
    """Three clients find two servers on their network, and nothing that a forger makes of them."""
    lan = Lan(stage)
    stage.rtt = stage.report.rtt = ping(lan.machines["ada"], SERVERS["anna"][0])
    with contextlib.ExitStack() as stack:
        play(stage, lan, stack)


def play(stage: Stage, lan: Lan, stack: contextlib.ExitStack) -> None:
    """What happens, in order."""
    ids = {name: make_key(os.path.join(stage.options.directory, f"{name}.pem")) for name in SERVERS}
    servers: Dict[str, Process] = {}

    def serve(name: str) -> None:
        # One that listens on all addresses, one that listens on its own alone.
        host = "[::]" if name == "anna" else SERVERS[name][0]
        words = ("serve", "--key", f"{name}.pem", "--listen", f"{host}:{SERVERS[name][1]}", "--app", "galaxy/1")
        servers[name] = Process(lan.machines[name], name, stage.options.directory, *words, "--name", f"{name}'s room")
        stack.callback(servers[name].kill)
        servers[name].wait(lambda: servers[name].all("listening"), "listening")

    def gone(name: str, how: str, end: Callable[[], None]) -> None:
        begun = time.time()
        end()
        taken = search.when("lost", name, begun) - begun
        stage.add(f"a server that is stopped by {how} is off all lists", 5.0, "5 s", taken, taken)

    for name in SERVERS:
        serve(name)
    forger = Forger(lan.machines["forger"], lan.far)
    stack.callback(forger.close)
    search = Search(stage, lan, ids)
    for process in search.processes.values():
        stack.callback(process.kill)
    for name in SERVERS:
        search.when("found", name, 0)
    for client in CLIENTS:
        first = [search.processes[client].all("found", server=ids[name])[0]["time"] for name in SERVERS]
        taken = max(first) - search.begun[client]
        stage.add("a client that is started lists both servers", 1.0, "1 s", taken, taken)
    # By then there is something to replay.
    time.sleep(5)
    gone("ben", "SIGTERM", lambda: servers["ben"].signal(signal.SIGTERM))
    gone("anna", "SIGKILL", servers["anna"].kill)
    killed = time.time()
    time.sleep(3)
    for process in search.processes.values():
        stage.check(not process.all("found", killed), f"{process.name} found a server where none was")
    begun = time.time()
    serve("anna")
    listening = servers["anna"].all("listening", begun)[0]["time"]
    taken = search.when("found", "anna", begun) - listening
    stage.add("a server that is started again is on all lists", 2.0, "2 s", taken, taken)
    for process in search.processes.values():
        code = process.wait_for_exit(LOOKING + 10)
        stage.check(code == 0, f"{process.name} ended with exit code {code}")
    forger.close()
    check_lists(stage, search, forger)


def check_lists(stage: Stage, search: Search, forger: Forger) -> None:
    """Nothing but the two servers was listed, at their own addresses; and the forger did try, with each means."""
    stage.note("the forger's: " + ", ".join(f"{count} {what}" for what, count in forger.counts.items()))
    for what, count in forger.counts.items():
        stage.check(count > 20, f"the forger sent only {count} datagrams {what}")
    names = {identity: name for name, identity in search.ids.items()}
    for process in search.processes.values():
        for found in process.all("found"):
            name = names.get(found["server"], "")
            ip, port = SERVERS.get(name, ("", 0))
            is_true = found["address"] == f"{ip}:{port}" or found["address"].startswith("[fe80::")
            is_true = is_true and (found["name"], found["application"]) == (f"{name}'s room", "galaxy/1")
            is_true = is_true and (found["players"], found["capacity"]) == (0, 1024)
            stage.check(is_true, f"{process.name} was shown what is not so: {found}")
        drops = process.all("stats")[-1]["drops"]
        stage.note(f"{process.name} dropped {drops}")
        for reason in ("forged", "unasked", "elsewhere", "notLocal"):
            stage.check(drops.get(reason, 0) > 5, f"{process.name} dropped only {drops.get(reason, 0)} as {reason}")
