"""From the table to files: one figure per dataset, k and mode.

Equal tables give equal bytes: no dates, no random ids.
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from ..results.key import slug
from ..results.probing import with_probing
from .errors import NothingToShowError, PlotError
from .figures import figure
from .save import FORMATS, save_figure
from .style import looks, style
from .traces import Trace, traces

log = logging.getLogger(__name__)


def draw(
    frame: pd.DataFrame,
    kind: str,
    folder: Path | str,
    formats: Sequence[str] = FORMATS,
    sizes: Mapping[str, int] | None = None,
    recall_scale: str = "linear",
) -> list[Path]:
    """Draw every figure of one kind that a table holds.

    Modes never share a figure. A group in which nothing can be shown is left out with one warning line in the
    log.

    Parameters
    ----------
    frame
        A results table, or a selection of its rows.
    kind
        "recall-qps", "recall-points" or "recall-lists"; see `traces`.
    folder
        Where the files go, named ``<dataset>-k<k>-<mode>-<kind>.<format>``; files of that name are replaced.
    formats
        Any of "pdf", "svg", "png".
    sizes
        Vectors by dataset name as the table has it: points scanned become a percentage.
    recall_scale
        "linear", or "nines": stretched towards 1.

    Returns
    -------
    list of Path
        The files written, figure by figure.

    Raises
    ------
    PlotError
        An unknown kind, format or scale, a missing column, or no row that was measured. One line.
    NothingToShowError
        No measured row can be shown as this kind of figure.
    """
    _check(frame, formats)
    appearance = looks(map(with_probing, frame["algorithm"], frame["probing"]))
    written: list[Path] = []
    measured = frame[frame["status"] == "ok"]
    groups: dict[Any, pd.DataFrame] = dict(iter(measured.groupby(["dataset", "k", "mode"], sort=True)))
    for (dataset, k, mode), rows in groups.items():
        n = (sizes or {}).get(dataset)
        curves = traces(rows, kind, n)
        if not curves:
            log.warning("no %s figure for %s, k = %s, mode %s: nothing to show", kind, dataset, k, mode)
            continue
        paths = [Path(folder) / f"{slug(dataset)}-k{k}-{mode}-{kind}.{format}" for format in formats]
        if paths[0] in written:
            raise PlotError(f"{paths[0]}: found two datasets of this file name, expected one ({dataset!r})")
        title = _title(dataset, k, mode, curves)
        with style():
            drawn = figure(curves, appearance, title, k, percent=n is not None, recall_scale=recall_scale)
            written += [save_figure(drawn, path, format) for path, format in zip(paths, formats, strict=True)]
    if not written:
        raise NothingToShowError(f"nothing to draw: no row of the table can be shown as {kind}")
    return written


def _title(dataset: str, k: int, mode: str, curves: Sequence[Trace]) -> str:
    counts = sorted({curve.threads for curve in curves})
    threads = "1 thread" if counts == [1] else f"{', '.join(str(count or '?') for count in counts)} threads"
    return f"{dataset}, k = {k}, mode {mode}, {threads}"


def _check(frame: pd.DataFrame, formats: Sequence[str]) -> None:
    unknown = [format for format in formats if format not in FORMATS]
    if unknown or not formats:
        found = repr(unknown[0]) if unknown else "none"
        raise PlotError(f"format of figure: found {found}, expected one of {', '.join(FORMATS)}")
    missing = [name for name in ("dataset", "k", "mode", "algorithm", "status", "probing") if name not in frame.columns]
    if missing:
        raise PlotError(f"table: found no column {missing[0]!r}, expected the columns of a results table")
    if frame.empty:
        raise PlotError("nothing to draw: the table has no rows")
    if not (frame["status"] == "ok").any():
        raise PlotError(f"nothing to draw: all rows of the table failed ({len(frame)})")
