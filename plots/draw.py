"""From the table to files: rows become traces, traces become axes or a CSV.

Equal tables give equal bytes: no dates, no random ids.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..results.key import slug
from ..results.labels import short_labels
from ..results.probing import with_probing
from ..results.series import series, without_lists
from .errors import NothingToShowError, PlotError
from .figures import draw_panels
from .globs import chosen
from .kind import USUAL_OPTIONS, Drawing, Kind, Options
from .recall_axis import check_scale
from .save import DRAWN, check_formats, save_figure, save_frame
from .style import WIDTHS, looks, style
from .trace import Trace, as_frame, grouped

log = logging.getLogger(__name__)

NOTHING = "nothing to show"


def draw(
    frame: pd.DataFrame,
    kind: Kind,
    folder: Path | str,
    formats: Sequence[str] = DRAWN,
    options: Options = USUAL_OPTIONS,
    everybody: Iterable[str] = (),
) -> list[Path]:
    """Draw every figure of one kind that a table holds.

    Modes never share a figure. A group in which nothing can be shown is left out with one warning line in the
    log.

    Parameters
    ----------
    frame
        What `kind.rows` returned, or a selection of its rows.
    kind
        One of `registry.KINDS`.
    folder
        Where the files go, named ``<dataset>-k<k>-<mode>-<kind>.<format>``; files of that name are replaced.
    formats
        Any of `save.FORMATS`; "csv" are the numbers of the figure.
    options
        What is asked of the figures.
    everybody
        The series of a whole results table: who has the same colour and marker in all of its figures. The series
        of this frame, if not given.

    Returns
    -------
    list of Path
        The files written, figure by figure.

    Raises
    ------
    PlotError
        An unknown format, scale or width, or a missing column. One line.
    NothingToShowError
        No row was measured or is asked for, or none of these can be shown as this kind of figure.
    """
    _check(frame, kind, formats, options)
    frame = frame if "series" in frame or "algorithm" not in frame else frame.assign(series=series(frame))
    appearance = looks([*everybody, *frame["series"]] if "series" in frame else [])
    rows = chosen(frame, options)
    rows = rows[rows["status"] == "ok"] if "status" in rows else rows
    facet = options.facet and "dataset" in kind.figure_by and kind.draw is draw_panels
    by = [name for name in kind.figure_by if not (facet and name == "dataset")]
    groups: dict[Any, pd.DataFrame] = dict(iter(rows.groupby(by, sort=True))) if by else {(): rows}
    written: list[Path] = []
    reasons: list[str] = []
    for key, group in groups.items():
        facts = dict(zip(by, key, strict=True))
        try:
            traces = _traces(named(group), kind, options, facet)
        except NothingToShowError as reason:
            log.warning("no %s figure for %s: %s", kind.name, _title(facts, group) or "these results", reason)
            reasons.append(str(reason))
            continue
        stem = "-".join([*(_word(name, value) for name, value in facts.items()), kind.name])
        paths = [Path(folder) / f"{stem}.{format}" for format in formats]
        if paths[0] in written:
            raise PlotError(
                f"{paths[0]}: found two datasets of this file name, expected one ({facts.get('dataset')!r})"
            )
        known = appearance or looks(trace.algorithm for trace in traces)
        drawing = Drawing(kind, traces, known, _title(facts, group), facts.get("k"), options)
        written += _save(drawing, paths, formats)
    if not written:
        why = "; ".join(dict.fromkeys(reason for reason in reasons if reason != NOTHING))
        raise NothingToShowError(f"nothing to draw: no row of the table can be shown as {kind.name}{why and ': '}{why}")
    return written


def named(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows with what decides their colour (``series``) and what the legend calls them (``label``), if known.

    A label is the algorithm's own, but without the number of lists where a series has several of them.
    """
    if "label" in rows or "algorithm" not in rows:
        return rows
    rows = rows if "series" in rows else rows.assign(series=series(rows))
    alone = rows.groupby("series")["algorithm"].transform("nunique") == 1
    texts = rows["algorithm"].where(alone, rows["algorithm"].map(without_lists))
    short = short_labels(texts)
    labels = [with_probing(short[text], probing) for text, probing in zip(texts, rows["probing"], strict=True)]
    if "threads" in rows and rows["threads"].nunique() > 1:
        labels = [f"{label}, {_threads([count])}" for label, count in zip(labels, rows["threads"], strict=True)]
    return rows.assign(label=labels)


def _traces(rows: pd.DataFrame, kind: Kind, options: Options, facet: bool) -> list[Trace]:
    parts = [("", rows)] if not facet else [(str(name), some) for (name,), some in grouped(rows, "dataset")]
    found = [
        replace(_visible(trace, kind), panel=", ".join(filter(None, (name, trace.panel))))
        for name, some in parts
        for trace in kind.traces(some, options)
    ]
    found = [trace for trace in found if len(trace.x)]
    if not any(trace.algorithm for trace in found):
        raise NothingToShowError(NOTHING)
    return found


def _visible(trace: Trace, kind: Kind) -> Trace:
    """Without the points that have no place on the axes: what was not told, and zeros on logarithmic ones."""
    kept = np.isfinite(trace.x) & np.isfinite(trace.y)
    for axis, values in ((kind.x, trace.x), (kind.y, trace.y)):
        kept &= (values > 0) | (axis.scale != "log")
    names = tuple(name for name, keep in zip(trace.names, kept, strict=False) if keep)
    return replace(trace, x=trace.x[kept], y=trace.y[kept], low=trace.low[kept], high=trace.high[kept], names=names)


def _save(drawing: Drawing, paths: Sequence[Path], formats: Sequence[str]) -> list[Path]:
    drawn = None
    for path, format in zip(paths, formats, strict=True):
        if format == "csv":
            x_is, y_is = (axis.label.format(k=drawing.k) for axis in (drawing.kind.x, drawing.kind.y))
            save_frame(as_frame(drawing.traces, x_is, y_is), path)
            continue
        with style(small=True):
            drawn = drawn or drawing.kind.draw(drawing)
            save_figure(drawn, path, format)
    return list(paths)


def _word(name: str, value: Any) -> str:
    # As a piece of a file name.
    return {"k": f"k{value}", "level": f"at-{value}"}.get(name, slug(str(value)))


def _title(facts: Mapping[str, Any], rows: pd.DataFrame) -> str:
    words = {"dataset": "{}", "k": "k = {}", "mode": "mode {}", "level": "recall {:g}"}
    said = [words[name].format(value) for name, value in facts.items()]
    threads = [_threads(rows["threads"])] if "threads" in rows and "mode" in facts else []
    return ", ".join([*said, *threads])


def _threads(counts: Iterable[int]) -> str:
    known = sorted(set(counts))
    return "1 thread" if known == [1] else f"{', '.join(str(count or '?') for count in known)} threads"


def _check(frame: pd.DataFrame, kind: Kind, formats: Sequence[str], options: Options) -> None:
    check_formats(formats)
    check_scale(options.axis)
    if options.width not in WIDTHS:
        raise PlotError(f"width of figure: found {options.width!r}, expected one of {', '.join(WIDTHS)}")
    missing = [name for name in (*kind.figure_by, *kind.columns) if name not in frame.columns]
    if missing:
        raise PlotError(f"table: found no column {missing[0]!r}, expected the columns that {kind.name} is drawn from")
    if frame.empty:
        raise NothingToShowError(f"nothing to draw: the table has no rows for {kind.name}")
    if "status" in frame and not (frame["status"] == "ok").any():
        raise NothingToShowError(f"nothing to draw: all rows of the table failed ({len(frame)})")
