"""Text files for others to read: written whole, and never over a file that says something else."""

from collections.abc import Mapping
from pathlib import Path

from ..errors import ResultError
from ..files import replacing


def write_texts(texts: Mapping[Path, str]) -> None:
    """Write text files, none of them if one has a name that a file of other contents has.

    Parameters
    ----------
    texts
        Contents by path; missing folders are made.

    Raises
    ------
    ResultError
        Such a file exists, or one cannot be written.
    """
    try:
        for path, text in texts.items():
            if path.exists() and path.read_bytes() != text.encode("utf-8"):
                raise ResultError(f"{path}: found a file of other contents, expected none: remove it or name another")
        for path, text in texts.items():
            with replacing(path) as temporary:
                temporary.write_bytes(text.encode("utf-8"))
    except OSError as error:
        raise ResultError(f"{error.filename or 'export'}: cannot be written: {error.strerror or error}") from error
