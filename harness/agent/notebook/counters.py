"""The kernel's counters of packets without a route: they also show connections that a hook in Python does not see.

A connection that a child process or C code tries leaves no note in the notebook's kernel, but it raises a counter that
nothing inside can reset. The counters belong to the sandbox's own network, so they count nobody else's (RFC 4293).
"""

from __future__ import annotations

from pathlib import Path

_NET = Path("/proc/self/net")
OUTSIDE = "an address outside, seen by the system"
LOOK_UP = "a name look-up, seen by the system"


class Unreached:
    """Reports the connections that were tried since the last call."""

    def __init__(self) -> None:
        self._before = _counts()

    def since_last(self) -> list[str]:
        """`OUTSIDE`, `LOOK_UP`, both or none; none where the system does not count (gVisor)."""
        now, before = _counts(), self._before
        self._before = now
        return [what for what in (OUTSIDE, LOOK_UP) if now[what] > before[what]]


def _counts() -> dict[str, int]:
    four, six = _read("snmp"), _read("snmp6")
    return {
        OUTSIDE: four.get("IpOutNoRoutes", 0) + six.get("Ip6OutNoRoutes", 0),
        # With no server configured, resolvers ask localhost, where nobody listens.
        LOOK_UP: four.get("UdpNoPorts", 0) + six.get("Udp6NoPorts", 0),
    }


def _read(name: str) -> dict[str, int]:
    """The counters in `snmp` (pairs of lines: names, values) or `snmp6` (a name and a value on each line)."""
    try:
        lines = [line.split() for line in (_NET / name).read_text().splitlines()]
        if name == "snmp6":
            return {key: int(value) for key, value in lines}
        return {
            names[0].rstrip(":") + key: int(value)
            for names, values in zip(lines[::2], lines[1::2], strict=True)
            for key, value in zip(names[1:], values[1:], strict=True)
        }
    except (OSError, ValueError, IndexError):
        return {}
