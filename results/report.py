"""A report: the laboratory's numbers put in words, tables and figures, and written beside the results.

Three kinds: ``routers`` compares every router of each dataset and clustering; ``thesis`` lays out the tables of
"Learning Cluster Representatives for Approximate Nearest Neighbor Search" (arXiv 2412.05921), centroids beside learnt
representatives; ``open-questions`` shows what the gain depends on.
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from .document import Document, Picture, Section, latex, markdown
from .errors import ResultError
from .files import replacing
from .gains import gains
from .laboratory import BUDGETS, LEVELS
from .relevant_lists import relevant_lists_table
from .report_tables import accuracy_table, cost_table, gain_table

KINDS = ("thesis", "routers", "open-questions")
HEADLINES: tuple[tuple[int, str, float], ...] = ((1, "points", 0.01), (10, "points", 0.1))
"""What is shown where only two settings fit: k, budget, share."""
THESIS_BUDGETS = (("lists", 0.001), ("lists", 0.01), ("points", 0.001), ("points", 0.01))
THESIS_ROUTERS = ("Centroid(", "Learnt(", "PaperLearnt(")
RELEVANT = (
    "Ten neighbours, a budget of 10 % of the points. The difference to the baseline over the queries whose neighbours "
    "lie in so many lists, with a 95 % interval over queries."
)
INTRODUCTION = (
    "Accuracy at k is the share of the k true neighbours that lie in the opened lists, mean over test queries and "
    "seeds; nothing is compressed, so a search of these lists finds them. A budget of lists opens the same share of "
    "the lists for every query, at least one. A budget of points opens lists until that share of the database is "
    "scanned; of the list that fits only in part, the part that fits counts.",
    "In brackets the difference to the baseline. A star says that it is significant: p below 0.05 in a paired "
    "bootstrap over queries and seeds, corrected by Holm's method for every comparison of the whole report. Intervals "
    "are 95 % percentile intervals of the same bootstrap, without correction. With few seeds they tell more of the "
    "queries than of the seeds.",
    "Opened size is the mean size of the first 1 % of the lists opened over the mean size of a list: above 1 a router "
    "prefers large lists.",
    "Routing time is the median for one query on one thread while a tenth of the lists is asked for. Build, learning "
    "and labelling seconds and bytes are medians over seeds; lists and points at a recall are means over seeds, with "
    "the same number of lists for every query.",
)


def check_kind(kind: str) -> None:
    """Raise unless there is such a report.

    Raises
    ------
    ResultError
        One line.
    """
    if kind not in KINDS:
        raise ResultError(f"kind of report: found {kind!r}, expected one of {', '.join(KINDS)}")


def report(
    kind: str,
    name: str,
    frame: pd.DataFrame,
    pictures: Sequence[Picture] = (),
    relevant: pd.DataFrame | None = None,
) -> Document:
    """Return a report.

    Parameters
    ----------
    kind
        One of `KINDS`.
    name
        Of the experiment, for the title.
    frame
        The laboratory's table.
    pictures
        What was drawn for it.
    relevant
        What `relevant_lists` says, for ``open-questions``.

    Raises
    ------
    ResultError
        An unknown kind.
    """
    check_kind(kind)
    sections = {"thesis": _thesis, "routers": _routers, "open-questions": _open_questions}[kind](frame)
    if relevant is not None and len(relevant):
        table = relevant_lists_table(relevant)
        sections.append(Section("Gain by the number of lists that hold a query's neighbours", RELEVANT, table))
    sections += [Section("Figures", pictures=tuple(pictures))] if pictures else []
    return Document(f"{name}: {kind.replace('-', ' ')}", (*INTRODUCTION, *_baselines(frame)), sections)


def write_report(
    folder: Path,
    kind: str,
    name: str,
    frame: pd.DataFrame,
    pictures: Sequence[Picture],
    relevant: pd.DataFrame | None = None,
) -> list[Path]:
    """Write ``<name>.md``, ``<name>.tex`` and ``<name>.csv``, each whole or not at all, and return their paths.

    The CSV holds every number of the laboratory's table; that of ``open-questions`` holds those of `gains`.
    """
    document = report(kind, name, frame, pictures, relevant)
    exact = gains(frame) if kind == "open-questions" else frame
    texts = {
        "md": markdown(document),
        "tex": latex(document),
        "csv": exact.to_csv(index=False, lineterminator="\n"),
    }
    paths = []
    for ending, text in texts.items():
        paths.append(folder / f"{name}.{ending}")
        with replacing(paths[-1]) as temporary:
            temporary.write_text(text, "utf-8")
    return paths


def _baselines(frame: pd.DataFrame) -> list[str]:
    named = frame[frame["baseline"]].groupby("router", sort=True).size()
    if named.empty:
        return ["There is no baseline: no centroid router was measured."]
    return [f"The baseline is {' or '.join(str(name) for name in named.index)}, whichever stands without brackets."]


def _routers(frame: pd.DataFrame) -> list[Section]:
    sections = []
    for (dataset, clustering), contest in frame.groupby(["dataset", "clustering"], sort=True):
        where = f"{dataset}, {clustering}"
        for k, rows in contest.groupby("k", sort=True):
            sections.append(Section(f"{where}: top-{k}", table=accuracy_table(rows, BUDGETS)))
        deep = 10 if 10 in set(contest["k"]) else int(contest["k"].max())
        text = f"Lists, points and queries per second are those at a recall@{deep} of 0.9 and of 0.95."
        sections.append(Section(f"{where}: costs", text, cost_table(contest[contest["k"] == deep], LEVELS)))
    return sections


def thesis_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that the thesis compares: centroids and learnt representatives."""
    is_one = frame["algorithm"].map(lambda text: any(f", {router}" in text for router in THESIS_ROUTERS))
    return frame[is_one]


def _thesis(frame: pd.DataFrame) -> list[Section]:
    rows = thesis_rows(frame)
    names = ("dataset", "clustering", "router")
    return [
        Section(f"Top-{k} accuracy", table=accuracy_table(some, THESIS_BUDGETS, names))
        for k, some in rows.groupby("k", sort=True)
    ]


def _open_questions(frame: pd.DataFrame) -> list[Section]:
    found = gains(frame)
    if found.empty:
        return [Section("Nothing varies", "No two routers here differ in one parameter only.")]
    return [
        Section(f"Gain by {factor}", table=gain_table(headlines(rows)))
        for factor, rows in found.groupby("factor", sort=True)
    ]


def headlines(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the two settings of `HEADLINES`, as far as their k was followed."""
    wanted = pd.Series(False, rows.index)
    for k, budget, share in HEADLINES:
        wanted |= (rows["k"] == k) & (rows["budget"] == budget) & (rows["share"] == share)
    return rows[wanted]
