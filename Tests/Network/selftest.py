"""Each check of the stories fails where it should, and only there. No network and no rights are needed."""

from __future__ import annotations

import os
import sys
import unittest
from typing import Dict, List

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import measure  # noqa: E402
import packets  # noqa: E402
import table  # noqa: E402
import world  # noqa: E402
from measure import Delivery  # noqa: E402
from packets import Endpoint  # noqa: E402
from relay import LogLine, Network  # noqa: E402
from stage import Report, Row, Story  # noqa: E402

CLIENT, SERVER, OTHER = Endpoint("192.0.2.1", 5000), Endpoint("192.0.2.2", 7447), Endpoint("192.0.2.3", 6000)


def v4(source: Endpoint, destination: Endpoint, payload: bytes) -> bytes:
    """A datagram with right checksums, built another way than by the code under test: by hand, then changed once."""
    size = 28 + len(payload)
    header = bytes([0x45, 0]) + size.to_bytes(2, "big") + bytes([0, 0, 0x40, 0, 64, 17, 0, 0])
    header += bytes(map(int, source.ip.split("."))) + bytes(map(int, destination.ip.split(".")))
    udp = source.port.to_bytes(2, "big") + destination.port.to_bytes(2, "big") + (size - 20).to_bytes(2, "big")
    return packets.with_source(header + udp + b"\0\0" + payload, source)


def v6(payload: bytes) -> bytes:
    """The same for IPv6, between ::1 and ::2."""
    udp = (5000).to_bytes(2, "big") + (7447).to_bytes(2, "big") + (8 + len(payload)).to_bytes(2, "big")
    ends = bytes(15) + b"\x01" + bytes(15) + b"\x02"
    header = b"\x60\0\0\0" + (8 + len(payload)).to_bytes(2, "big") + bytes([17, 64]) + ends
    return packets.with_source(header + udp + b"\0\0" + payload, Endpoint("::1", 5000))


def steady(count: int, without: "tuple[float, float]" = (0, 0)) -> List[Delivery]:
    """Lines at every 50 ms, but for those of a time in which nothing comes."""
    lines = [Delivery(number * 0.05, number) for number in range(count)]
    return [line for line in lines if not without[0] < line.time < without[1]]


class Gaps(unittest.TestCase):
    """The longest time without a delivery."""

    def test_no_gap(self) -> None:
        self.assertAlmostEqual(measure.longest_gap(steady(100), 1, 4), 0)

    def test_a_known_gap(self) -> None:
        self.assertAlmostEqual(measure.longest_gap(steady(100, (2, 2.7)), 1, 4), 0.65)

    def test_a_gap_that_begins_before_and_ends_within(self) -> None:
        self.assertAlmostEqual(measure.longest_gap(steady(100, (1, 2)), 1.5, 4), 0.95)

    def test_a_gap_outside_does_not_count(self) -> None:
        self.assertAlmostEqual(measure.longest_gap(steady(100, (0.2, 0.9)), 1, 4), 0)
        self.assertAlmostEqual(measure.longest_gap(steady(200, (4.5, 6)), 1, 4), 0)

    def test_silence_to_the_end(self) -> None:
        self.assertAlmostEqual(measure.longest_gap(steady(40), 1, 5), 3.0)
        self.assertAlmostEqual(measure.longest_gap([], 1, 5), 3.95)

    def test_first_delivery(self) -> None:
        self.assertAlmostEqual(measure.first_delivery(steady(100, (1, 2)), 1.02, 4), 0.98)
        self.assertAlmostEqual(measure.first_delivery([], 1, 4), 3)

    def test_arrival(self) -> None:
        late = [Delivery(0.1, 0), Delivery(5.4, 1), Delivery(5.2, 2), Delivery(9, 3)]
        self.assertAlmostEqual(measure.arrival(late, 3, 5, 10), 0.4)
        self.assertAlmostEqual(measure.arrival(late, 5, 5, 10), 5)
        self.assertAlmostEqual(measure.arrival(late + [Delivery(8, 1)], 3, 5, 10), 0.4)
        self.assertEqual(measure.arrival([], 0, 5, 10), 0)
        self.assertEqual(measure.arrival(late, 1, 5, 10), 0)


class Lines(unittest.TestCase):
    """All arrive, once and in order."""

    def complaints(self, *numbers: int) -> List[str]:
        return measure.complaints([Delivery(0, number) for number in numbers], range(4), "x")

    def test_all(self) -> None:
        self.assertEqual(self.complaints(0, 1, 2, 3), [])

    def test_each_fault(self) -> None:
        self.assertEqual(self.complaints(0, 1, 3), ["x: 1 lost: 2"])
        self.assertEqual(self.complaints(0, 1, 2), ["x: 1 lost: 3"])
        self.assertEqual(self.complaints(0, 1, 1, 2, 3), ["x: 1 doubled: 1"])
        self.assertEqual(self.complaints(0, 2, 1, 3), ["x: 1 out of order: 1"])
        self.assertEqual(self.complaints(0, 1, 2, 3, 4), ["x: 1 never sent: 4"])
        self.assertEqual(self.complaints(), ["x: 4 lost: 0, 1, 2, 3"])

    def test_whose_lines(self) -> None:
        events: List[Dict] = [
            {"event": "message", "time": 1.5, "from": "a", "text": "line 7"},
            {"event": "message", "time": 1.6, "from": "b", "text": "line 8"},
            {"event": "joined", "time": 1.7, "player": "a"},
        ]
        self.assertEqual(measure.deliveries(events, "a"), [Delivery(1.5, 7)])


class Sessions(unittest.TestCase):
    """One session from the beginning to the end."""

    joined = {"event": "joined", "player": "a", "address": "one"}
    roamed = {"event": "roamed", "player": "a", "from": "one", "to": "two"}
    left = {"event": "left", "player": "a", "reason": "replaced"}
    other = {"event": "joined", "player": "b", "address": "three"}

    def test_one(self) -> None:
        self.assertEqual(measure.session_complaints([self.joined, self.other, self.roamed], "a"), [])

    def test_each_fault(self) -> None:
        self.assertEqual(measure.session_complaints([self.other], "a"), ["joined 0 times instead of once"])
        twice = [self.joined, self.joined]
        self.assertEqual(measure.session_complaints(twice, "a"), ["joined 2 times instead of once"])
        self.assertEqual(measure.session_complaints([self.joined, self.left], "a"), ["left: replaced"])

    def test_last_address(self) -> None:
        self.assertEqual(measure.last_address([self.joined, self.other], "a"), "one")
        self.assertEqual(measure.last_address([self.joined, self.roamed, self.other], "a"), "two")
        self.assertEqual(measure.last_address([self.other], "a"), "nowhere")


class Onlookers(unittest.TestCase):
    """What connects datagrams before and after a move."""

    moved = Endpoint("192.0.2.9", 5001)

    def line(self, source: Endpoint, destination: Endpoint, head: str) -> LogLine:
        return LogLine(0, "sent", source, destination, 100, bytes.fromhex(head))

    def links(self, before: LogLine, after: LogLine) -> List[str]:
        log = [before, after]
        one, other = (measure.trace(log, ip, SERVER.ip) for ip in (CLIENT.ip, self.moved.ip))
        return measure.links(one, other)

    one, two = "10" + "a1" * 8 + "01" * 15, "11" + "b2" * 8 + "02" * 15

    def test_strangers(self) -> None:
        up, down = self.line(CLIENT, SERVER, self.one), self.line(SERVER, CLIENT, self.one)
        self.assertEqual(self.links(up, self.line(self.moved, SERVER, self.two)), [])
        self.assertEqual(self.links(down, self.line(SERVER, self.moved, self.two)), [])

    def test_each_link(self) -> None:
        up = self.line(CLIENT, SERVER, self.one)
        same_port = self.line(Endpoint(self.moved.ip, CLIENT.port), SERVER, self.two)
        self.assertEqual(self.links(up, same_port), ["port 5000"])
        same_id = self.line(self.moved, SERVER, self.two[:2] + self.one[2:18] + self.two[18:])
        self.assertEqual(self.links(up, same_id), ["connection id " + "a1" * 8, "up, byte 1: " + "a1" * 8])
        # The last place that is compared: bytes 12 to 19.
        same_piece = self.line(SERVER, self.moved, self.two[:24] + self.one[24:40] + self.two[40:])
        down = self.line(SERVER, CLIENT, self.one)
        self.assertEqual(self.links(down, same_piece), ["down, byte 12: " + "01" * 8])

    def test_amplification(self) -> None:
        log = [self.line(*ends, self.one) for ends in ((OTHER, SERVER), (SERVER, OTHER), (SERVER, CLIENT))]
        self.assertEqual(measure.amplification(log, OTHER.ip), (100, 100))
        self.assertEqual(measure.amplification(log[1:] * 4, OTHER.ip), (0, 400))


class Relays(unittest.TestCase):
    """The relay's decisions, in a time of their own."""

    def passed(self, network: Network, packet: bytes, now: float = 0) -> List["tuple[float, bytes]"]:
        """When what leaves; looked at each millisecond."""
        network.receive(packet, now, now)
        times = [now + tick / 1000 for tick in range(1000)]
        return [(when, out) for when in times for out in iter(lambda: network.due(when), None)]

    def test_delay(self) -> None:
        network, packet = Network(0.025, 1), v4(CLIENT, SERVER, b"a")
        self.assertEqual(network.wait(0), None)
        network.receive(packet, 1, 1)
        self.assertAlmostEqual(network.wait(1.01), 0.015)
        self.assertEqual(network.due(1.0249), None)
        self.assertEqual(network.due(1.0251), packet)
        self.assertEqual(network.due(9), None)

    def test_order(self) -> None:
        network = Network(0.025, 1)
        sent = [v4(CLIENT, SERVER, bytes([number])) for number in range(9)]
        for packet in sent:
            network.receive(packet, 1, 1)
        self.assertEqual([network.due(2) for _ in sent], sent)

    def test_loss(self) -> None:
        network = Network(0, 7)
        network.command({"loss": 0.2}, 0)
        packet = v4(CLIENT, SERVER, b"a")
        count = sum(len(self.passed(network, packet, now)) for now in range(0, 2000, 2))
        self.assertTrue(740 < count < 860, f"{count} of 1000 with seed 7")

    def test_cut(self) -> None:
        network = Network(0, 1)
        network.command({"cut": True}, 0)
        self.assertEqual(self.passed(network, v4(CLIENT, SERVER, b"a")), [])
        self.assertEqual(self.passed(network, b"\x45" + bytes(30)), [])
        network.command({"cut": False}, 0)
        self.assertEqual(len(self.passed(network, v4(CLIENT, SERVER, b"a"))), 1)

    def test_hold(self) -> None:
        network, packet = Network(0.01, 1), v4(CLIENT, SERVER, b"a")
        network.command({"hold": True}, 0)
        network.receive(packet, 0, 0)
        self.assertEqual(network.due(5), None)
        network.command({"hold": False}, 5)
        self.assertEqual((network.due(5.005), network.due(5.011)), (None, packet))

    def test_forwarder(self) -> None:
        network, packet = Network(0.025, 1), v4(CLIENT, SERVER, b"abc")
        network.command({"forwarder": {"target": str(SERVER), "address": str(OTHER), "lead": 0.005}}, 0)
        (first, copy), (second, original) = self.passed(network, packet)
        self.assertAlmostEqual(second - first, 0.005, delta=0.0011)
        self.assertEqual(original, packet)
        self.assertEqual(packets.read(copy), (OTHER, SERVER, b"abc"))
        self.assertEqual(len(self.passed(network, v4(SERVER, CLIENT, b"abc"))), 1)
        self.assertEqual(self.passed(network, v4(SERVER, OTHER, b"abc")), [])
        network.command({"forwarder": None}, 0)
        self.assertEqual(len(self.passed(network, packet)), 1)

    def test_unknown_settings(self) -> None:
        self.assertRaises(ValueError, Network(0, 1).command, {"los": 1}, 0)

    def test_log(self) -> None:
        for ends in ((CLIENT, SERVER), (Endpoint("2001:db8::1", 1), Endpoint("::2", 2))):
            for head in (b"\x10\xff", b""):
                line = LogLine(12.5, "sent", *ends, 100, head)
                self.assertEqual(LogLine.parse(f"{line}\n"), line)


class Packets(unittest.TestCase):
    """Reading datagrams, and changing where they come from."""

    def test_checksum(self) -> None:
        # The example of RFC 1071 §3; and a whole header whose sum is known (its checksum is b861).
        self.assertEqual(packets.checksum(bytes.fromhex("0001f203f4f5f6f7")), ~0xDDF2 & 0xFFFF)
        header = bytes.fromhex("45000073000040004011" + "0000" + "c0a80001c0a800c7")
        self.assertEqual(packets.checksum(header), 0xB861)

    def test_both_families(self) -> None:
        self.assertEqual(packets.read(v4(CLIENT, SERVER, b"abc")), (CLIENT, SERVER, b"abc"))
        self.assertEqual(packets.read(v6(b"abc")), (Endpoint("::1", 5000), Endpoint("::2", 7447), b"abc"))

    def test_new_source(self) -> None:
        for packet, source in ((v4(CLIENT, SERVER, b"abc"), OTHER), (v6(b"abcd"), Endpoint("::3", 9))):
            changed = packets.with_source(packet, source)
            self.assertEqual(packets.read(changed), packets.read(packet)._replace(source=source))
            # A sum over everything, the checksum included, is zero where that is right.
            start, ends = (20, changed[12:20]) if source is OTHER else (40, changed[8:40])
            udp = changed[start:]
            self.assertEqual(packets.checksum(ends + len(udp).to_bytes(4, "big") + b"\0\0\0\x11" + udp), 0)
            if source is OTHER:
                self.assertEqual(packets.checksum(changed[:20]), 0)
            self.assertEqual(packets.with_source(changed, packets.read(packet).source), packet)

    def test_what_is_no_datagram(self) -> None:
        whole = v4(CLIENT, SERVER, b"abc")
        tcp, fragment = whole[:9] + b"\x06" + whole[10:], whole[:6] + b"\x20\0" + whole[8:]
        for packet in (b"", whole[:27], tcp, fragment, v6(b"")[:47]):
            self.assertIsNone(packets.read(packet))
        self.assertRaises(ValueError, packets.with_source, fragment, OTHER)


class Results(unittest.TestCase):
    """What counts as passed."""

    row = dict(what="x", limit=0.15, limit_text="1 RTT + 100 ms", up=0.1, down=0.1, count=1)

    def test_rows(self) -> None:
        self.assertTrue(Row(**self.row).is_kept())
        self.assertFalse(Row(**{**self.row, "up": 0.16}).is_kept())
        self.assertFalse(Row(**{**self.row, "down": 0.16}).is_kept())
        self.assertFalse(Row(**self.row, at_least=0.11).is_kept())

    def test_reports(self) -> None:
        row = Row(**self.row)
        self.assertTrue(Report("x", rows=[row]).is_passed())
        self.assertFalse(Report("x", rows=[]).is_passed(), "a story that measured nothing")
        self.assertFalse(Report("x", rows=[row], wrong=["something"]).is_passed())
        self.assertFalse(Report("x", rows=[row, Row(**{**self.row, "up": 1})]).is_passed())

    def test_table(self) -> None:
        story = Story("1", "x", 1, lambda stage: None)
        good = table.markdown([story], {"x": Report("x", rtt=0.05, rows=[Row(**self.row)])})
        self.assertIn("| 1 x | x | 1 | 100 ms | 100 ms | 1 RTT + 100 ms = 150 ms | 50.0 ms | pass |", good)
        self.assertNotIn("FAIL", good)
        bad = Report("x", rows=[Row(**{**self.row, "up": 1})], wrong=["a|b\nc"])
        self.assertEqual(table.markdown([story], {"x": bad}).count("**FAIL**"), 2)
        self.assertIn("a\\|b", table.markdown([story], {"x": bad}))

    def test_left_over_namespaces(self) -> None:
        self.assertFalse(world.is_left_over(f"rk{os.getpid()}x1-core"))
        self.assertTrue(world.is_left_over("rk999999999x1-core"))
        self.assertFalse(world.is_left_over("somebody-elses"))


if __name__ == "__main__":
    unittest.main()
