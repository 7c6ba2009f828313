"""MurmurHash3 in its 32-bit and its 128-bit form for 64-bit machines, which hashlib hasn't got.

The algorithm is Austin Appleby's, in the public domain. OMERO writes the bytes of a hash in little-endian order.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

_MASK_32 = 0xFFFFFFFF
_MASK_64 = 0xFFFFFFFFFFFFFFFF
_A_32, _B_32 = 0xCC9E2D51, 0x1B873593
_A_64, _B_64 = 0x87C37B91114253D5, 0x4CF5AD432745937F


class _Blocks:
    """Cuts a stream into whole blocks and keeps the rest for the next time."""

    def __init__(self, block: int) -> None:
        self._block = block
        self._rest = b""
        self._length = 0

    def _whole(self, data: bytes | bytearray | memoryview) -> bytes:
        self._length += len(data)
        joined = self._rest + bytes(data)
        end = len(joined) - len(joined) % self._block
        self._rest = joined[end:]
        return joined[:end]


class Murmur3With32Bits(_Blocks):
    """Murmur3-32 of a stream, seed 0."""

    def __init__(self) -> None:
        super().__init__(4)
        self._hash = 0

    def update(self, data: bytes | bytearray | memoryview) -> None:
        """Take the next bytes."""
        value = self._hash
        for (word,) in struct.iter_unpack("<I", self._whole(data)):
            mixed = word * _A_32 & _MASK_32
            value ^= (mixed << 15 | mixed >> 17) * _B_32 & _MASK_32
            value = (value << 13 | value >> 19) & _MASK_32
            value = (value * 5 + 0xE6546B64) & _MASK_32
        self._hash = value

    def hexdigest(self) -> str:
        """Checksum of all bytes so far."""
        word = int.from_bytes(self._rest, "little") * _A_32 & _MASK_32
        word = (word << 15 | word >> 17) * _B_32 & _MASK_32
        value = (self._hash ^ word ^ self._length) & _MASK_32
        value = (value ^ value >> 16) * 0x85EBCA6B & _MASK_32
        value = (value ^ value >> 13) * 0xC2B2AE35 & _MASK_32
        return (value ^ value >> 16).to_bytes(4, "little").hex()


class Murmur3With128Bits(_Blocks):
    """Murmur3-128 of a stream, seed 0."""

    def __init__(self) -> None:
        super().__init__(16)
        self._first = 0
        self._second = 0

    def update(self, data: bytes | bytearray | memoryview) -> None:
        """Take the next bytes."""
        pairs: Iterable[tuple[int, int]] = struct.iter_unpack("<QQ", self._whole(data))
        first, second = self._first, self._second
        for low, high in pairs:
            mixed = low * _A_64 & _MASK_64
            first ^= (mixed << 31 | mixed >> 33) * _B_64 & _MASK_64
            first = (first << 27 | first >> 37) & _MASK_64
            first = (first + second) * 5 + 0x52DCE729 & _MASK_64
            mixed = high * _B_64 & _MASK_64
            second ^= (mixed << 33 | mixed >> 31) * _A_64 & _MASK_64
            second = (second << 31 | second >> 33) & _MASK_64
            second = (second + first) * 5 + 0x38495AB5 & _MASK_64
        self._first, self._second = first, second

    def hexdigest(self) -> str:
        """Checksum of all bytes so far."""
        low = int.from_bytes(self._rest[:8], "little") * _A_64 & _MASK_64
        high = int.from_bytes(self._rest[8:], "little") * _B_64 & _MASK_64
        first = self._first ^ ((low << 31 | low >> 33) * _B_64 & _MASK_64) ^ self._length
        second = self._second ^ ((high << 33 | high >> 31) * _A_64 & _MASK_64) ^ self._length
        first = (first + second) & _MASK_64
        second = (second + first) & _MASK_64
        first, second = _mixed(first), _mixed(second)
        first = (first + second) & _MASK_64
        second = (second + first) & _MASK_64
        return (first.to_bytes(8, "little") + second.to_bytes(8, "little")).hex()


def _mixed(value: int) -> int:
    value = (value ^ value >> 33) * 0xFF51AFD7ED558CCD & _MASK_64
    value = (value ^ value >> 33) * 0xC4CEB9FE1A85EC53 & _MASK_64
    return value ^ value >> 33
