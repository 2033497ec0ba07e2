"""Reading an HDF5 file that may be damaged, foreign or made to harm: every case becomes one `ResultError`.

A result holds its values itself. A link, a virtual array or external storage would make HDF5 open other files by name,
and an array that is declared and not stored would be invented, as many zeros as one likes. Of the damage that HDF5 does
not survive itself, that of the heaps which hold texts is found beforehand.
"""

import math
import mmap
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py

from .errors import ResultError

FAULTS = (
    *(OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError),
    *(NotImplementedError, OverflowError, MemoryError),
)
_SMALL = 64 * 2**20  # what unpacks to less needs no suspicion
_RATIO = 1100  # deflate packs no better, and the constant columns of a result are packed that well
_MARK_BYTES = 4096
_MARK_CLASSES = (h5py.h5t.STRING, h5py.h5t.INTEGER, h5py.h5t.ENUM)
_TEXTS = b"GCOL\x01\0\0\0"  # signature, version and reserved bytes of a heap of texts ("global heap" of HDF5)
_OBJECT = struct.Struct("<HHIQ")  # the head of a text in it: index, references, reserved, size
_NAMES = b"HEAP\0\0\0\0"  # the same of a heap of names ("local heap"), which every group of old kind has
_SEGMENT = struct.Struct("<QQQ")  # what follows: size of its data, first free block in them, their address
_FREE = struct.Struct("<QQ")  # a free block: the next one, size
_LAST = 1  # instead of a next one


@contextmanager
def damage(what: str) -> Iterator[None]:
    """Turn whatever goes wrong in the block into a `ResultError` that says that `what` is damaged."""
    try:
        yield
    except ResultError:
        raise
    except FAULTS as error:
        said = " ".join(str(error).split())[:200] or type(error).__name__
        raise ResultError(f"found a damaged {what} ({said}), expected it as it was written") from error


def mark(file: h5py.File, name: str, default: Any = None) -> Any:
    """Return an attribute that is a short text, an integer or a truth value, or the default where there is none.

    Raises
    ------
    ResultError
        It is something else.
    """
    if name not in file.attrs:
        return default
    held = file.attrs.get_id(name)
    size = max(held.get_storage_size(), held.dtype.itemsize)
    if held.shape != () or held.get_type().get_class() not in _MARK_CLASSES or size > _MARK_BYTES:
        raise ResultError(
            f"attribute {name!r}: found {held.dtype} of the shape {held.shape}, expected a text or number"
        )
    value = file.attrs[name]
    return value.decode("ascii", "replace") if isinstance(value, bytes) else value


def held_value(group: h5py.Group, name: str) -> Any:
    """Return an array, or the bytes of a text, that the group holds itself.

    Raises
    ------
    ResultError
        It is a link, lies elsewhere, or is declared and not stored.
    KeyError
        There is none.
    """
    item = held_item(group, name)
    where = f"{group.name.rstrip('/')}/{name}"
    if not isinstance(item, h5py.Dataset):
        raise ResultError(f"{where}: found a group, expected an array")
    if item.is_virtual or item.external:
        raise ResultError(f"{where}: found an array whose values lie in other files, expected the values")
    declared, held = math.prod(item.shape or ()) * item.dtype.itemsize, item.id.get_storage_size()
    if item.chunks:
        declared = max(declared, math.prod(item.chunks) * item.dtype.itemsize)
    if held > item.file.id.get_filesize() or declared > max(_SMALL if item.chunks else held, _RATIO * held):
        raise ResultError(f"{where}: found {held:,} bytes stored, expected enough for {declared:,} bytes of values")
    return item[()]


def held_item(group: h5py.Group, name: str) -> Any:
    """Return a group or array that the group holds itself; errors as `held_value`."""
    link = group.get(name, getlink=True)
    if link is None:
        raise KeyError(f"no {name!r} in {group.name}")
    if not isinstance(link, h5py.HardLink):
        raise ResultError(f"{group.name.rstrip('/')}/{name}: found a link to elsewhere, expected the values")
    return group[name]


def check_heaps(path: Path) -> None:
    """Raise `ResultError` unless every heap of texts or names can be walked: HDF5 walks broken ones for ever."""
    with path.open("rb") as stream:
        if not path.stat().st_size:
            return
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as image:
            for signature, can_be_walked in ((_TEXTS, _texts_end), (_NAMES, _free_names_end)):
                start = image.find(signature)
                while start >= 0:
                    if not can_be_walked(image, start + len(signature)):
                        raise ResultError(f"found a damaged heap at byte {start}, expected it as it was written")
                    start = image.find(signature, start + 1)


def _texts_end(image: mmap.mmap, start: int) -> bool:
    place = start + 8
    if place > len(image):
        return False
    stop = start - len(_TEXTS) + int.from_bytes(image[start:place], "little")
    while place + _OBJECT.size <= min(stop, len(image)):
        index, _, _, size = _OBJECT.unpack_from(image, place)
        step = _OBJECT.size + -(-size // 8) * 8 if index else size  # the free space counts its own head
        if not _OBJECT.size <= step <= stop - place:
            return False
        place += step
    return stop <= len(image)


def _free_names_end(image: mmap.mmap, start: int) -> bool:
    if start + _SEGMENT.size > len(image):
        return False
    size, free, address = _SEGMENT.unpack_from(image, start)
    for _ in range(min(size, len(image)) // _FREE.size + 1):  # more blocks than have room: a circle
        if free == _LAST:
            return True
        if address + free + _FREE.size > min(address + size, len(image)):
            return False
        free, _ = _FREE.unpack_from(image, address + free)
    return False
