"""Reads what the tests need of an R `.rda` file (serialisation 2 or 3, XDR): vectors, lists, factors, matrices."""

from __future__ import annotations

import bz2
import gzip
import lzma
import struct
from pathlib import Path
from typing import Any

import numpy as np

MISSING_INTEGER = -(2**31)


class Node(dict):
    """Attributes of an R object; the vector itself stands in `value`."""

    value: Any

    def names(self) -> list[str]:
        return list(self["names"].value)

    def __getattr__(self, name: str) -> Any:
        return self.value[self.names().index(name)]

    def texts(self) -> list[str]:
        """A character vector or a factor as texts, empty where missing."""
        if "levels" in self:
            levels = self["levels"].value
            return ["" if code == MISSING_INTEGER else levels[code - 1] for code in self.value]
        return [str(item) if item is not None else "" for item in self.value]

    def matrix(self) -> np.ndarray:
        rows, columns = (int(n) for n in self["dim"].value)
        return np.array(self.value, dtype=float).reshape(columns, rows).T


def read_rda(path: Path) -> dict[str, Node]:
    raw = path.read_bytes()
    for magic, opened in ((b"\x1f\x8b", gzip), (b"BZh", bz2), (b"\xfd7zXZ", lzma)):
        if raw.startswith(magic):
            raw = opened.decompress(raw)
    assert raw[:7] in (b"RDX2\nX\n", b"RDX3\nX\n")
    reader = _Reader(raw, 7)
    version = reader.integer()
    reader.at += 8
    if version == 3:
        length = reader.integer()
        reader.at += length
    found = {}
    pairs = reader.item()
    for tag, value in pairs:
        found[tag] = value
    return found


class _Reader:
    def __init__(self, raw: bytes, at: int) -> None:
        self.raw, self.at, self.symbols = raw, at, []

    def integer(self) -> int:
        self.at += 4
        return struct.unpack_from(">i", self.raw, self.at - 4)[0]

    def item(self, flags: int | None = None) -> Any:
        flags = self.integer() if flags is None else flags
        kind, has_attributes, has_tag = flags & 255, bool(flags & 512), bool(flags & 1024)
        if kind in (254, 242, 241, 253, 251):  # R's own nothing
            return None
        if kind == 255:
            index = flags >> 8
            return self.symbols[(index or self.integer()) - 1]
        if kind == 1:
            name = self.item()
            self.symbols.append(name)
            return name
        if kind == 2:
            pairs = []
            while kind == 2:
                attributes = self.item() if has_attributes else None
                assert not attributes
                tag = self.item() if has_tag else None
                pairs.append((tag, self.item()))
                flags = self.integer()
                kind, has_attributes, has_tag = flags & 255, bool(flags & 512), bool(flags & 1024)
            if kind != 254:  # a pair whose second half is no list
                pairs.append((None, self.item(flags)))
            return pairs
        if kind == 9:
            length = self.integer()
            if length == -1:
                return None
            self.at += length
            return self.raw[self.at - length : self.at].decode("utf-8", "replace")
        if kind == 238:  # a compact form; only the plain sequences occur
            info, state, attributes = self.item(), self.item(), self.item()
            name = info[0][1]
            assert name in ("compact_intseq", "deferred_string", "wrap_real", "wrap_integer", "wrap_string"), name
            node = Node()
            if name == "compact_intseq":
                count, first, step = (int(x) for x in state.value)
                node.value = [first + step * k for k in range(count)]
            elif name == "deferred_string":
                node.value = [str(x) for x in state[0][1].value]
            else:
                node.value = state.value[0].value if isinstance(state, Node) else state[0][1].value
            node.update(dict(attributes or []))
            return node
        node = Node()
        length = self.integer()
        if kind in (10, 13):
            node.value = list(struct.unpack_from(f">{length}i", self.raw, self.at))
            self.at += 4 * length
        elif kind == 14:
            node.value = np.frombuffer(self.raw, ">f8", length, self.at).astype(float)
            self.at += 8 * length
        elif kind in (16, 19, 20):
            node.value = [self.item() for _ in range(length)]
        else:
            raise AssertionError(f"R type {kind} does not occur in the test data")
        if has_attributes:
            node.update(dict(self.item()))
        return node
