"""One file over HTTP, cut connections survived.

What has arrived stays in ``<name>.part``; the next attempt, or the next start of the program, asks for the
rest. A server that cannot serve a part, or whose file has changed since, sends all of it again and the part
is started afresh: the validator (ETag or date) of what has arrived is kept in ``<name>.part.tag`` and sent
along.
"""

import os
import re
import time
from collections.abc import Callable
from pathlib import Path

import requests

from .. import __version__
from .errors import DatasetError, one_line

Progress = Callable[[int, int | None], None]

USER_AGENT = f"ivfbench/{__version__} (Mozilla/5.0 compatible)"

_CHUNK = 2**16  # what a cut connection loses at most
_TIMEOUT = (15, 60)  # seconds to connect, and between two chunks
_REFUSALS = {
    401: "asks for a login",
    403: "refuses access",
    404: "has no such file",
    410: "has the file no more",
}


class _AttemptError(Exception):
    """The attempt failed in a way that another may mend."""


def fetch(url: str, part: Path, *, progress: Progress | None = None, attempts: int = 3, pause: float = 1.0) -> None:
    """Bring a file completely into `part`, continuing what is already there.

    Parameters
    ----------
    url
        Where from.
    part
        Where to; complete when this function returns, kept for a later attempt when it raises.
    progress
        Called with (bytes done, bytes in all or None where the server does not say).
    attempts
        How often to try in a row without getting any further.
    pause
        Seconds before the second attempt; doubled each time.

    Raises
    ------
    DatasetError
        If the server refuses, or the attempts are used up.
    """
    failures, furthest = 0, -1
    while True:
        try:
            _attempt(url, part, progress)
            return
        except (_AttemptError, requests.RequestException) as error:
            reason = _reason(error)
        except OSError as error:
            raise DatasetError(f"{part}: cannot be written: {error.strerror or error}") from error
        reached = _size(part)
        failures = 1 if reached > furthest >= 0 else failures + 1
        furthest = max(furthest, reached)
        if failures >= attempts:
            kept = f"; {reached} bytes are kept, run again to resume" if reached else ""
            raise DatasetError(f"{url}: download failed after {failures} attempts: {reason}{kept}")
        time.sleep(pause * 2 ** (failures - 1))


def _attempt(url: str, part: Path, progress: Progress | None) -> None:
    """Ask for what is missing and append it."""
    have = _size(part)
    with requests.get(url, headers=_headers(part, have), stream=True, timeout=_TIMEOUT) as response:
        if response.status_code == 416 and _total(response) == have:
            return
        start = _accept(url, response, part, have)
        total = _total(response)
        _remember(part, response)
        with part.open("ab" if start else "wb") as stream:
            done = start
            for chunk in response.iter_content(_CHUNK):
                stream.write(chunk)
                done += len(chunk)
                if progress is not None:
                    progress(done, total)
            stream.flush()
            os.fsync(stream.fileno())
    if total is not None and done != total:
        raise _AttemptError(f"truncated: {done} of {total} bytes arrived")
    _tag(part).unlink(missing_ok=True)


def _headers(part: Path, have: int) -> dict[str, str]:
    headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
        if _tag(part).is_file():
            headers["If-Range"] = _tag(part).read_text(encoding="latin-1")
    return headers


def _accept(url: str, response: requests.Response, part: Path, have: int) -> int:
    """Decide where the body of the response belongs: behind what has arrived, or at the start."""
    status = response.status_code
    if status == 206:
        match = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
        if match and int(match[1]) == have:
            return have
    if status in (206, 416):  # not the part that was asked for: forget ours, and ask for everything
        part.unlink(missing_ok=True)
        _tag(part).unlink(missing_ok=True)
        raise _AttemptError(f"the server answered {status} to a request to resume at byte {have}")
    if status == 429 or status >= 500:
        raise _AttemptError(f"the server answered {status} {response.reason}")
    if status != 200:
        meaning = _REFUSALS.get(status, "does not give the file")
        raise DatasetError(f"{url}: the server {meaning} ({status} {response.reason})")
    return 0


def _total(response: requests.Response) -> int | None:
    """Size of the whole file, if the response tells."""
    match = re.search(r"/(\d+)$", response.headers.get("Content-Range", ""))
    if match:
        return int(match[1])
    length = response.headers.get("Content-Length", "")
    return int(length) if response.status_code == 200 and length.isdigit() else None


def _remember(part: Path, response: requests.Response) -> None:
    tag = response.headers.get("ETag", "")
    validator = tag if tag.startswith('"') else response.headers.get("Last-Modified", "")
    if validator:
        _tag(part).write_text(validator, encoding="latin-1")
    else:
        _tag(part).unlink(missing_ok=True)


def _reason(error: Exception) -> str:
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection was cut"
    if isinstance(error, requests.Timeout):
        return "the server does not answer in time"
    if isinstance(error, requests.ConnectionError):
        return "no connection to the server"
    return one_line(error)


def _size(part: Path) -> int:
    return part.stat().st_size if part.is_file() else 0


def _tag(part: Path) -> Path:
    return part.with_name(part.name + ".tag")
