"""The hash of a downloaded file, kept beside it.

Neither suite publishes checksums. The hash seen at the first download is therefore written next to the file,
in the form ``sha256sum --check`` reads, with the file's size and time in a comment. A file whose size and
time are unchanged is taken as it is (hashing gigabytes at every start helps nobody); any other is hashed, and
refused when it differs.
"""

from contextlib import suppress
from pathlib import Path

from .dataset import file_sha256, file_stamp
from .errors import DatasetError
from .write import replacing


def seal_path(path: Path) -> Path:
    """Give the file that holds the hash of `path`."""
    return path.with_name(path.name + ".sha256")


def write_seal(path: Path, sha256: str) -> None:
    """Record the hash, size and time of a file beside it."""
    size, time = file_stamp(path)
    with replacing(seal_path(path)) as temporary:
        temporary.write_text(f"{sha256}  {path.name}\n# {size} {time}\n", encoding="utf-8")


def check_seal(path: Path, always: bool = False) -> None:
    """Compare a file with the hash recorded beside it, if there is one.

    Parameters
    ----------
    path
        The file.
    always
        Hash it even where its size and time say that it is unchanged.

    Raises
    ------
    DatasetError
        If the file differs from what was recorded, or the record is unreadable.
    """
    seal = seal_path(path)
    if not seal.is_file():
        return
    words = seal.read_text(encoding="utf-8", errors="replace").split()
    if len(words) != 5 or len(words[0]) != 64:
        raise DatasetError(f"{seal}: not a record of a hash; delete it to accept {path.name} as it is")
    size, time = file_stamp(path)
    if not always and words[3:] == [str(size), str(time)]:
        return
    found = file_sha256(path)
    if found != words[0]:
        raise DatasetError(f"{path}: has sha256 {found}, expected {words[0]} as downloaded; delete it to start anew")
    with suppress(DatasetError):  # a cache that may only be read is hashed again each time
        write_seal(path, found)
