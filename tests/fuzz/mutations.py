"""Ways in which a file goes wrong: on its way, in a spreadsheet, in an editor, or because somebody means harm."""

from __future__ import annotations

import gzip
import io
import json
import random
import re
import zipfile
from collections.abc import Callable
from typing import Any

from tests.fuzz.seeds import Seed, qza

NUMBERS = (
    "-1", "0", "1e308", "1e999", "NaN", "nan", "inf", "-inf", "9" * 40, "0x10", "1_000", "1,5", "1.5.2", "", "NA",
    "1e-320", "999999999999999999999", "\u00b2", "\u0663", "true", "null", "-0", "+3", " 7 ",
    "18446744073709551616",
)  # fmt: skip
ODD_TEXTS = (
    "\x00", "\x1b[31m", "\u202e", "\ufeff", '"', "'", ";", "|", "\t", "\n", "\r", ",", "k__", "__", "..",
    "../../etc",
    "=cmd()", "\U0001f9eb", "\ud7ff", "A" * 3000, "k__Bacteria;" * 50, "s__", "#", "[",
    "{", "%s%n", "\x85", "\u2028",
)  # fmt: skip
ODD_VALUES: tuple[Any, ...] = (
    None, True, -1, 1.5, 10**30, 1e308, "", "x", [], {}, [[]], [[1]], [[1, 2, 3]], {"id": "a"}, [None], "9" * 400,
)  # fmt: skip
ENCODINGS = ("utf-16", "utf-16-le", "utf-32", "latin-1", "utf-8-sig", "cp037")


def flip_bits(content: bytes, random_: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(random_.choice((1, 1, 2, 8, 64))):
        if changed:
            changed[random_.randrange(len(changed))] ^= 1 << random_.randrange(8)
    return bytes(changed)


def set_bytes(content: bytes, random_: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(random_.choice((1, 4, 16))):
        if changed:
            place = random_.randrange(len(changed))
            value = random_.choice((b"\x00", b"\xff", b"\xff" * 8, b"\x00" * 8, b"\x7f\xff\xff\xff", b"\x01"))
            changed[place : place + len(value)] = value
    return bytes(changed)


def truncate(content: bytes, random_: random.Random) -> bytes:
    return content[: random_.randrange(len(content) + 1)]


def cut_out(content: bytes, random_: random.Random) -> bytes:
    start = random_.randrange(len(content) + 1)
    return content[:start] + content[start + random_.choice((1, 2, 16, 300, 4000)) :]


def repeat_part(content: bytes, random_: random.Random) -> bytes:
    start = random_.randrange(len(content) + 1)
    part = content[start : start + random_.choice((1, 8, 100, 3000))]
    return content[:start] + part * random_.choice((2, 3, 40)) + content[start:]


def splice(content: bytes, random_: random.Random, other: bytes) -> bytes:
    return content[: random_.randrange(len(content) + 1)] + other[random_.randrange(len(other) + 1) :]


def change_lines(content: bytes, random_: random.Random) -> bytes:
    lines = content.split(b"\n")
    for _ in range(random_.choice((1, 1, 3))):
        place = random_.randrange(len(lines))
        other = random_.randrange(len(lines))
        match random_.randrange(4):
            case 0:
                lines.insert(place, lines[other])
            case 1 if len(lines) > 1:
                del lines[place]
            case 2:
                lines[place], lines[other] = lines[other], lines[place]
            case _:
                lines.insert(place, b"")
    return b"\n".join(lines)


def change_numbers(content: bytes, random_: random.Random) -> bytes:
    found = list(re.finditer(rb"\d+(?:\.\d+)?", content[:200_000]))
    for match in random_.sample(found, min(len(found), random_.choice((1, 2, 5)))):
        new = random_.choice(NUMBERS).encode()
        content = content[: match.start()] + new + content[match.end() :]
    return content


def change_fields(content: bytes, random_: random.Random) -> bytes:
    lines = content.split(b"\n")
    mark = max((b"\t", b",", b";"), key=lambda m: lines[0].count(m))
    for _ in range(random_.choice((1, 2, 4))):
        place = random_.randrange(len(lines))
        cells = lines[place].split(mark)
        a, b = random_.randrange(len(cells)), random_.randrange(len(cells))
        match random_.randrange(5):
            case 0:
                cells[a], cells[b] = cells[b], cells[a]
            case 1:
                del cells[a]
            case 2:
                cells.insert(a, cells[b])
            case 3:
                cells[a] = random_.choice(ODD_TEXTS).encode("utf-8", "replace")
            case _:
                cells[a] = random_.choice(NUMBERS).encode()
        lines[place] = mark.join(cells)
    return b"\n".join(lines)


def insert_text(content: bytes, random_: random.Random) -> bytes:
    place = random_.randrange(len(content) + 1)
    return content[:place] + random_.choice(ODD_TEXTS).encode("utf-8", "replace") + content[place:]


def other_encoding(content: bytes, random_: random.Random) -> bytes:
    return content.decode("utf-8", "replace").encode(random_.choice(ENCODINGS), "replace")


def other_mark(content: bytes, random_: random.Random) -> bytes:
    old, new = random_.sample((b"\t", b",", b";", b" ", b"|", b"\r"), 2)
    return content.replace(old, new)


def line_ends(content: bytes, random_: random.Random) -> bytes:
    return content.replace(b"\n", random_.choice((b"\r\n", b"\r", b"\n\n", b"\n\r", b"\x0b")))


def pack(content: bytes, random_: random.Random) -> bytes:
    packed = gzip.compress(content, 1)
    return flip_bits(packed, random_) if random_.random() < 0.5 else packed


def nest(content: bytes, random_: random.Random) -> bytes:
    deep = random_.choice((50, 3_000, 100_000))
    opening, closing = random_.choice(((b"[", b"]"), (b'{"a":', b"}")))
    place = content.find(b":") + 1 if random_.random() < 0.7 else 0
    return content[:place] + opening * deep + b"1" + closing * random_.choice((deep, 0)) + content[place:]


def change_json(content: bytes, random_: random.Random) -> bytes:
    """Any node of the JSON becomes something else; the text stays JSON."""
    try:
        given = json.loads(content)
    except (ValueError, RecursionError):
        return change_numbers(content, random_)
    for _ in range(random_.choice((1, 1, 2, 4))):
        node, key = given, None
        for _ in range(random_.randrange(1, 7)):
            keys = (
                list(node) if isinstance(node, dict) else list(range(len(node))) if isinstance(node, list) else []
            )
            if not keys:
                break
            parent, key = node, random_.choice(keys[:400])
            node = parent[key]
        if key is None:
            continue
        if random_.random() < 0.2:
            del parent[key]
        else:
            parent[key] = random_.choice(ODD_VALUES)
    return json.dumps(given).encode()


def change_hdf5(content: bytes, random_: random.Random) -> bytes:
    """A dataset or group of the file becomes another one; the file stays HDF5."""
    import h5py
    import numpy as np

    buffer = io.BytesIO(content)
    try:
        with h5py.File(buffer, "r+") as file:
            names: list[str] = []
            file.visit(names.append)
            name = random_.choice(sorted(names))
            old = file[name][()] if isinstance(file[name], h5py.Dataset) else np.zeros(3)
            del file[name]
            match random_.randrange(12):
                case 0:
                    pass
                case 1:
                    file.create_group(name)
                case 2:
                    file[name] = np.asarray(old)[:-1] if np.ndim(old) else 0
                case 3:
                    file[name] = np.asarray(old)[::-1].copy() if np.ndim(old) else 1
                case 4:
                    file[name] = random_.choice(
                        (np.arange(5) - 3, np.full(4, 2**62), np.full(7, np.nan), 5, b"text")
                    )
                case 5:  # declares far more than it holds
                    shape = random_.choice(((10**12,), (10**6, 10**6), (2**31,), (0,), (3 * 10**7,)))
                    file.create_dataset(name, shape=shape, dtype=random_.choice(("f8", "i4", "S10")), chunks=True)
                case 6:
                    file[name] = h5py.SoftLink(random_.choice(("/", "/sample", "/nowhere", f"/{name}")))
                case 7:
                    file[name] = h5py.ExternalLink("/etc/hostname", "/")
                case 8:
                    file.create_dataset(name, shape=(4,), dtype="u1", external=[("/etc/hostname", 0, 4)])
                case 9:
                    file.create_dataset(name, data=h5py.Empty("f8"))
                case 10:
                    file.create_dataset(name, data=np.zeros(5_000_000), compression="gzip", chunks=(5_000_000,))
                case _:
                    file.create_dataset(name, data=[["a", "b"]] * 4, dtype=h5py.string_dtype())
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError):
        return set_bytes(content, random_)
    return buffer.getvalue()


def change_zip(content: bytes, random_: random.Random) -> bytes:
    """One member changes, goes, or comes twice; its checksum no longer fits (or is taken away)."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, EOFError):
        return set_bytes(content, random_)
    name = random_.choice(sorted(members)) if members else "x"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, inside in members.items():
            if random_.random() < 0.3 and member.endswith("checksums.md5"):
                continue
            if member == name:
                inside = random_.choice((flip_bits, truncate, set_bytes, insert_text, change_lines))(
                    inside, random_
                )
                if random_.random() < 0.15:
                    inside = b"\0" * 30_000_000
                if random_.random() < 0.15:
                    member = random_.choice(("../" + member, member.upper(), "x", "x/" + member))
            archive.writestr(member, inside)
    return buffer.getvalue()


Mutation = Callable[[bytes, random.Random], bytes]
ANY: tuple[Mutation, ...] = (flip_bits, set_bytes, truncate, cut_out, repeat_part, pack, insert_text)
TEXT: tuple[Mutation, ...] = (
    change_lines, change_numbers, change_fields, change_fields, insert_text, other_encoding, other_mark, line_ends,
)  # fmt: skip


def mutated(seed: Seed, random_: random.Random, other: bytes) -> bytes:
    """The seed's bytes after one to four mishaps that fit its kind."""
    content = seed.content
    if content[:4] == b"PK\x03\x04" and random_.random() < 0.5:
        # What lies inside changes and the checksum is made to fit: the reader's inner parts are reached.
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            table = next((archive.read(n) for n in archive.namelist() if n.endswith(".biom")), b"")
        inner = random_.choice(
            (change_hdf5, flip_bits, set_bytes, truncate) if table[:1] == b"\x89" else (change_json,)
        )
        return qza(inner(table, random_))
    for _ in range(random_.choice((1, 1, 1, 2, 3, 4))):
        kinds: tuple[Mutation, ...] = ANY
        if content[:4] == b"\x89HDF":
            # Opening a damaged file for writing could end the fuzzer itself: only whole ones are rebuilt.
            kinds = (*ANY, change_hdf5, change_hdf5, change_hdf5) if content is seed.content else ANY
        elif content[:4] == b"PK\x03\x04":
            kinds = (*ANY, change_zip, change_zip)
        elif content[:1] == b"{":
            kinds = (*ANY, change_json, change_json, change_json, change_numbers, nest)
        elif b"\x00" not in content[:2000]:
            kinds = (*ANY, *TEXT)
        if random_.random() < 0.06:
            content = splice(content, random_, other)
        else:
            content = random_.choice(kinds)(content, random_)
    return content
