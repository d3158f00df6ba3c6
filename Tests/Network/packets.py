"""IPv4 and IPv6 datagrams of UDP: as much as the relay has to know of them."""

from __future__ import annotations

import ipaddress
import struct
from typing import NamedTuple, Optional

UDP = 17


class Endpoint(NamedTuple):
    """An address and a port."""

    ip: str
    port: int

    def __str__(self) -> str:
        return f"[{self.ip}]:{self.port}" if ":" in self.ip else f"{self.ip}:{self.port}"

    @staticmethod
    def parse(text: str) -> "Endpoint":
        """The reverse of `str`."""
        ip, port = text.rsplit(":", 1)
        return Endpoint(ip.strip("[]"), int(port))


class Datagram(NamedTuple):
    """A whole UDP datagram: where from, where to, and what it carries."""

    source: Endpoint
    destination: Endpoint
    payload: bytes


def read(packet: bytes) -> Optional[Datagram]:
    """What an IP packet carries; nothing when that is no UDP, or only a fragment."""
    place = _find_udp(packet)
    if place is None:
        return None
    v6, offset = packet[0] >> 4 == 6, place
    ips = (packet[8:24], packet[24:40]) if v6 else (packet[12:16], packet[16:20])
    ports = struct.unpack_from("!HH", packet, offset)
    ends = [Endpoint(str(ipaddress.ip_address(ip)), port) for ip, port in zip(ips, ports)]
    return Datagram(ends[0], ends[1], packet[offset + 8 :])


def with_source(packet: bytes, source: Endpoint) -> bytes:
    """The same datagram, sent by somebody else: as a forwarder would who has read it on the way."""
    offset = _find_udp(packet)
    if offset is None:
        raise ValueError("not a whole UDP datagram")
    ip = ipaddress.ip_address(source.ip).packed
    changed = bytearray(packet)
    if packet[0] >> 4 == 6:
        changed[8:24] = ip
    else:
        changed[12:16] = ip
        changed[10:12] = b"\0\0"
        changed[10:12] = struct.pack("!H", checksum(bytes(changed[: (packet[0] & 15) * 4])))
    struct.pack_into("!H", changed, offset, source.port)
    struct.pack_into("!H", changed, offset + 6, udp_checksum(bytes(changed)))
    return bytes(changed)


def udp_checksum(packet: bytes) -> int:
    """What the checksum of a UDP datagram has to be (RFC 768, RFC 8200 §8.1); its own field counts as zero."""
    offset = _find_udp(packet)
    if offset is None:
        raise ValueError("not a whole UDP datagram")
    addresses = packet[8:40] if packet[0] >> 4 == 6 else packet[12:20]
    udp = packet[offset : offset + 6] + b"\0\0" + packet[offset + 8 :]
    # Zero means "not computed" on the wire, and its complement says the same sum.
    return checksum(addresses + struct.pack("!II", len(udp), UDP) + udp) or 0xFFFF


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    total = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2)))
    while total > 0xFFFF:
        total = (total >> 16) + (total & 0xFFFF)
    return ~total & 0xFFFF


def _find_udp(packet: bytes) -> Optional[int]:
    """Where the UDP header begins."""
    if len(packet) < 28:
        return None
    if packet[0] >> 4 == 6:
        return 40 if len(packet) >= 48 and packet[6] == UDP else None
    offset = (packet[0] & 15) * 4
    fragmented = struct.unpack_from("!H", packet, 6)[0] & 0x3FFF
    return offset if packet[9] == UDP and not fragmented and len(packet) >= offset + 8 else None
