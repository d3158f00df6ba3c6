"""How long a way is, and whether there is one."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import time
from typing import List, Optional

from packets import checksum
from world import Failed, Namespace

ICMP, ICMP_V6 = (8, 0), (128, 129)
"""The types of a request and of its answer (RFC 792, RFC 4443)."""


def ping(machine: Namespace, address: str, count: int = 15, device: Optional[str] = None) -> float:
    """The round trip to an address in seconds: the median of some. `device` says which way to go.

    Raises: Failed, when nothing comes back."""
    is_v6 = ":" in address
    family, protocol = (socket.AF_INET6, socket.IPPROTO_ICMPV6) if is_v6 else (socket.AF_INET, socket.IPPROTO_ICMP)
    raw = machine.socket(family, socket.SOCK_RAW, protocol)
    trips: List[float] = []
    with contextlib.closing(raw):
        if device:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
        with contextlib.suppress(OSError):
            for number in range(count):
                trips += _once(raw, address, is_v6, number)
    if not trips:
        raise Failed(f"{address} does not answer a ping from {machine.name}: the networks are not what they should be")
    return sorted(trips)[len(trips) // 2]


def _once(raw: socket.socket, address: str, is_v6: bool, number: int) -> List[float]:
    """One trip, or none."""
    request, answer_type = ICMP_V6 if is_v6 else ICMP
    body = struct.pack("!HH", os.getpid() & 0xFFFF, number) + bytes(56)
    # For IPv6 the system fills in the checksum.
    echo = bytes([request, 0]) + struct.pack("!H", checksum(bytes([request, 0, 0, 0]) + body)) + body
    begun = time.monotonic()
    raw.sendto(echo, (address, 0))
    while (left := begun + 0.5 - time.monotonic()) > 0:
        raw.settimeout(left)
        with contextlib.suppress(socket.timeout):
            answer = raw.recv(2048)
            header = 0 if is_v6 else (answer[0] & 15) * 4
            if answer[header] == answer_type and answer[header + 4 : header + 8] == body[:4]:
                return [time.monotonic() - begun]
    return []
