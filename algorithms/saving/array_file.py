"""One file of a text and aligned arrays: what `docs/index-file.md` describes byte by byte.

::

    preamble   magic, version, lengths     32 bytes
    header     JSON: content and arrays    as long as the preamble says
    checksum   of all bytes so far          4 bytes
    arrays     raw, each on a 64-byte line

Nothing here knows what the arrays mean: that is the content's affair (`spelling`). A file appears under its name only
when it is complete, and the preamble is written last, so that no half of one passes for a whole.
"""

import errno
import json
import math
import mmap
import os
import struct
import uuid
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

from ..kernels.panels import ALIGNMENT, aligned_empty

MAGIC = b"\x89IVF\r\n\x1a\n"  # no text begins so, and whatever translates ends of lines spoils it
VERSION = 1
PREAMBLE = struct.Struct("<8sIIQQ")  # magic, version, nothing, bytes of the file, bytes of the header
CHECKSUM = struct.Struct("<I")
BLOCK_BYTES = 1 << 24  # written, or checked, at a time
SMALL = 1 << 20  # bytes up to which an array is checked whenever the file is opened
DTYPES = ("bool", *(f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)),
          "float16", "float32", "float64")  # fmt: skip


class IndexFileError(ValueError):
    """A file that cannot be read as an index: one line says which, what was found and what was expected."""


class Header(NamedTuple):
    """What is known of a file before any array is read.

    Attributes
    ----------
    content : mapping
        What `write_array_file` was given.
    entries : list of mapping
        ``name``, ``dtype``, ``shape``, ``offset`` (from `start`), ``nbytes`` and ``crc32`` of each array.
    start : int
        Where in the file the arrays begin.
    """

    content: Mapping[str, Any]
    entries: list[dict[str, Any]]
    start: int


# ---- writing ----------------------------------------------------------------------------------------------


def write_array_file(path: Path, content: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write a file, whole or not at all.

    Parameters
    ----------
    path : Path
        An existing file is replaced in one step; missing folders are made.
    content : mapping
        JSON data, without NaN and infinity.
    arrays : mapping of name to array
        Of `DTYPES`; stored in C order, little-endian.

    Raises
    ------
    OSError
        The file cannot be written; what was there before still is.
    """
    entries: list[dict[str, Any]] = []
    end = 0
    for name, array in arrays.items():
        offset = _aligned(end)
        end = offset + array.nbytes
        described = {"name": name, "dtype": array.dtype.name, "shape": list(array.shape), "offset": offset}
        entries.append({**described, "nbytes": array.nbytes, "crc32": "00000000"})
    length = len(_header_text(content, entries))  # checksums are not known yet, but how long they are
    start = _aligned(PREAMBLE.size + length + CHECKSUM.size)
    with _replacing(path) as stream:
        for entry, array in zip(entries, arrays.values(), strict=True):
            stream.seek(start + entry["offset"])
            entry["crc32"] = _write_array(stream, array)
        stream.truncate(start + end)
        head = PREAMBLE.pack(MAGIC, VERSION, 0, start + end, length) + _header_text(content, entries)
        stream.seek(0)
        stream.write(head + CHECKSUM.pack(zlib.crc32(head)))


def _aligned(offset: int) -> int:
    return -(-offset // ALIGNMENT) * ALIGNMENT


def _header_text(content: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]) -> bytes:
    document = {"content": content, "arrays": entries}
    return json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def _bytes_of(array: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    return array.reshape(-1).view(np.uint8)


def _write_array(stream: BinaryIO, array: npt.NDArray[Any]) -> str:
    raw = _bytes_of(np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")))
    checksum = 0
    for begin in range(0, len(raw), BLOCK_BYTES):
        block = raw[begin : begin + BLOCK_BYTES].data
        checksum = zlib.crc32(block, checksum)
        stream.write(block)
    return f"{checksum:08x}"


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    # A temporary file in the same folder, synced and renamed to `path` when the block succeeds.
    temporary = path.parent / f".{path.stem[:40]}-{uuid.uuid4().hex}.part"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        with temporary.open("xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise OSError(error.errno, f"cannot be written: {error.strerror}", str(path)) from error
    finally:
        temporary.unlink(missing_ok=True)


# ---- reading ----------------------------------------------------------------------------------------------


def read_header(path: Path) -> Header:
    """Read what a file says of itself, in milliseconds whatever its size.

    Raises
    ------
    IndexFileError
        Not an index file, a newer version, truncated, or its header is damaged.
    """
    with path.open("rb") as stream:
        return _read_header(path, stream)


def read_array_file(
    path: Path, *, mapped: bool = True, verify: bool | None = None
) -> tuple[Header, list[npt.NDArray[Any]]]:
    """Open a file of arrays.

    Parameters
    ----------
    path : Path
    mapped : bool
        Map the file into memory: pages are read when they are first used, and shared between processes. Otherwise all
        is read now.
    verify : bool, optional
        Compare the arrays' checksums. By default of all where everything is read, of those up to `SMALL` bytes
        otherwise: among them are the offsets that lead every other access.

    Returns
    -------
    header : Header
    arrays : list of array
        Each on a 64-byte line, writeable; what is written does not reach the file.

    Raises
    ------
    IndexFileError
        As `read_header`, or an array is damaged.
    """
    with path.open("rb") as stream:
        header = _read_header(path, stream)
        # Copy on write, though nobody writes: Numba compiles every kernel once more for read-only arrays.
        memory = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_COPY) if mapped else None
        arrays = []
        for entry in header.entries:
            place, shape, dtype = header.start + entry["offset"], tuple(entry["shape"]), np.dtype(entry["dtype"])
            if memory is not None:
                array: npt.NDArray[Any] = np.ndarray(shape, dtype, memory, place)
            else:
                array = aligned_empty(shape, dtype)
                stream.seek(place)
                stream.readinto(_bytes_of(array).data)
            small = array.nbytes <= SMALL
            if verify or (verify is None and (small or not mapped)):
                _verify(path, entry, array)
            arrays.append(array)
    return header, arrays


def _verify(path: Path, entry: Mapping[str, Any], array: npt.NDArray[Any]) -> None:
    raw, checksum = _bytes_of(array), 0
    for begin in range(0, len(raw), BLOCK_BYTES):
        checksum = zlib.crc32(raw[begin : begin + BLOCK_BYTES].data, checksum)
    if f"{checksum:08x}" != entry["crc32"]:
        raise IndexFileError(
            f"{path}: damaged array {entry['name']}: found checksum {checksum:08x}, expected {entry['crc32']}"
        )


def _read_header(path: Path, stream: BinaryIO) -> Header:
    size = os.fstat(stream.fileno()).st_size
    preamble = stream.read(PREAMBLE.size)
    if preamble[: len(MAGIC)] != MAGIC[: len(preamble)] or not preamble:
        raise IndexFileError(f"{path}: not an index file: found {preamble[: len(MAGIC)]!r}, expected {MAGIC!r}")
    if len(preamble) < PREAMBLE.size:
        raise IndexFileError(f"{path}: truncated: found {size} bytes, expected at least {PREAMBLE.size}")
    _, version, _, whole, length = PREAMBLE.unpack(preamble)
    start = PREAMBLE.size + length + CHECKSUM.size
    if start > whole:
        raise IndexFileError(
            f"{path}: damaged header: found a length of {length} bytes, expected it to fit the file's {whole}"
        )  # fmt: skip
    if start > size:
        raise IndexFileError(f"{path}: truncated: found {size} bytes, expected {whole}")
    text = stream.read(length)
    (expected,) = CHECKSUM.unpack(stream.read(CHECKSUM.size))
    found = zlib.crc32(preamble + text)
    if found != expected:
        raise IndexFileError(f"{path}: damaged header: found checksum {found:08x}, expected {expected:08x}")
    if version > VERSION:
        raise IndexFileError(
            f"{path}: found format version {version}, expected at most {VERSION}: a newer ivfbench wrote it"
        )
    if size != whole:
        what = "truncated" if size < whole else "not as it was written"
        raise IndexFileError(f"{path}: {what}: found {size} bytes, expected {whole}")
    try:
        document = json.loads(text)
        header = Header(document["content"], document["arrays"], _aligned(start))
        for entry in header.entries:
            _check_entry(entry, whole - header.start)
    except (ValueError, KeyError, TypeError) as error:
        raise IndexFileError(f"{path}: header: {error}, expected what docs/index-file.md describes") from error
    return header


def _check_entry(entry: Mapping[str, Any], room: int) -> None:
    # Its checksum fits, so nobody damaged the header; somebody may have written it by hand.
    name, shape, offset, nbytes = entry["name"], entry["shape"], entry["offset"], entry["nbytes"]
    if entry["dtype"] not in DTYPES:
        raise ValueError(f"array {name}: found dtype {entry['dtype']!r}")
    if not all(type(number) is int and number >= 0 for number in (*shape, offset, nbytes)):
        raise ValueError(f"array {name}: found shape {shape}, offset {offset!r} and {nbytes!r} bytes")
    if nbytes != math.prod(shape) * np.dtype(entry["dtype"]).itemsize or offset % ALIGNMENT or offset + nbytes > room:
        raise ValueError(f"array {name}: found {nbytes} bytes at {offset} for shape {shape} in a room of {room}")
    if type(entry["crc32"]) is not str:
        raise ValueError(f"array {name}: found checksum {entry['crc32']!r}")
