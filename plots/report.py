"""The figures of a report, and the sentences under them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from ..results.document import Picture
from ..results.gains import gains
from ..results.key import slug
from ..results.laboratory import LEVELS
from ..results.report import HEADLINES, check_kind, headlines, thesis_rows
from .differences import differences
from .gain_lines import gain_lines
from .routing_curves import routing_curves
from .save import DRAWN, save_formats
from .style import style
from .trade_off import trade_off

Wanted = list[tuple[str, str, Callable[[], Figure | None]]]
"""What is to be drawn: the words of its file name, its caption, and how."""


def draw_report(
    kind: str, name: str, frame: pd.DataFrame, curves: pd.DataFrame, folder: Path, formats: Sequence[str] = DRAWN
) -> list[Picture]:
    """Draw the figures of a report and return what they are, in the order in which they are shown.

    Parameters
    ----------
    kind
        A kind of report.
    name
        Of the report: the files are named ``<name>-<what>.<format>``.
    frame, curves
        What `laboratory` and `curves` made of the runs.
    folder
        Where the files go; files of that name are replaced.
    formats
        Any of "pdf", "svg", "png".

    Raises
    ------
    ResultError
        An unknown kind.
    """
    check_kind(kind)
    wanted = {"routers": _routers, "thesis": _thesis, "open-questions": _open_questions}[kind](frame, curves)
    pictures: list[Picture] = []
    for words, caption, make in wanted:
        with style():
            drawn = make()
            if drawn is None:
                continue
            stem = _free(f"{slug(name)}-{words}", [picture.stem for picture in pictures])
            save_formats(drawn, folder, stem, formats)
        pictures.append(Picture(stem, caption))
    return pictures


def _free(stem: str, taken: Sequence[str]) -> str:
    # LaTeX takes what follows a dot for the ending. Two datasets may share a slug; the second gets a number.
    stem = stem.replace(".", "-")
    numbered = (stem, *(f"{stem}-{place}" for place in range(2, len(taken) + 3)))
    return next(one for one in numbered if one not in taken)


def _place(dataset: object, clustering: object) -> tuple[str, str]:
    # A contest in words, and as a piece of a file name.
    return f"{dataset}, {clustering}", f"{slug(str(dataset), 40)}-{slug(str(clustering), 40)}"


def _routers(frame: pd.DataFrame, curves: pd.DataFrame) -> Wanted:
    wanted: Wanted = []
    for (dataset, clustering), rows in frame.groupby(["dataset", "clustering"], sort=True):
        where, file = _place(dataset, clustering)
        of_contest = curves[(curves["dataset"] == dataset) & (curves["clustering"] == clustering)]
        wanted += _curves(of_contest, where, file, (1, 10), "points")
        settings = [setting for setting in HEADLINES if setting[0] in set(rows["k"])]
        if rows["difference"].notna().any():
            baseline = ", ".join(sorted(set(rows[rows["baseline"]]["router"])))
            said = f"{where}: difference to {baseline}, with 95 % intervals."
            title = f"{where}; baseline: {baseline}"
            wanted.append((f"differences-{file}", said, _bind(differences, rows, settings, title)))
        deep = 10 if 10 in set(rows["k"]) else int(rows["k"].max())
        said = f"{where}: points scanned at recall@{deep} {LEVELS[-1]:g} over the time to route a query."
        wanted.append((f"trade-off-{file}", said, _bind(trade_off, rows, deep, LEVELS[-1], where)))
    return wanted


def _curves(rows: pd.DataFrame, where: str, file: str, wanted: Sequence[int], work: str) -> Wanted:
    found: Wanted = []
    for k, of_k in rows.groupby("k", sort=True):
        if k in wanted:
            caption = f"{where}: recall@{k} over the {work} of a search, the same number of lists for every query."
            words = f"recall-{work}-{file}-k{k}"
            found.append((words, caption, _bind(routing_curves, of_k, where, int(str(k)), work)))
    return found


def _thesis(frame: pd.DataFrame, curves: pd.DataFrame) -> Wanted:
    kept = set(thesis_rows(frame)["algorithm"])
    shown = curves[curves["algorithm"].isin(kept)]
    wanted: Wanted = []
    for (dataset, clustering), rows in shown.groupby(["dataset", "clustering"], sort=True):
        where, file = _place(dataset, clustering)
        wanted += _curves(rows, where, file, (10, 100), "lists") + _curves(rows, where, file, (10, 100), "points")
    return wanted


def _open_questions(frame: pd.DataFrame, curves: pd.DataFrame) -> Wanted:
    found = headlines(gains(frame))
    settings = [setting for setting in HEADLINES if setting[0] in set(found["k"])]
    return [
        (f"gain-{slug(str(factor))}", f"Gain over the baseline by {factor}.", _bind(gain_lines, rows, factor, settings))
        for factor, rows in found.groupby("factor", sort=True)
    ]


def _bind(make: Callable[..., Figure | None], *arguments: Any) -> Callable[[], Figure | None]:
    return lambda: make(*arguments)
