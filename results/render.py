"""A frame as text for a terminal, a spreadsheet, a page or a paper.

`render` shows any frame of this room: the table, the builds, a comparison. CSV holds exactly the columns and
numbers of the frame; the other formats are for people and round.
"""

import re
import shutil

import pandas as pd

from .cells import Cells, cells
from .errors import ResultError
from .terminal import terminal_table

FORMATS = ("text", "csv", "markdown", "latex")
_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    **{sign: f"\\{sign}" for sign in "&%$#_"},
}


def render(frame: pd.DataFrame, format: str = "text", width: int | None = None) -> str:
    """Return a frame as text.

    Parameters
    ----------
    frame
        The table, the builds, a comparison, or a selection of their columns and rows.
    format
        "text": aligned, fits the terminal; "csv": exact; "markdown"; "latex": a ``tabular`` for booktabs.
    width
        Characters a line, for "text" only; the terminal's own if not given.

    Returns
    -------
    str
        Ends in a line break.

    Raises
    ------
    ResultError
        An unknown format.
    """
    if format == "csv":
        return frame.to_csv(index=False, lineterminator="\n")
    if format == "text":
        return terminal_table(cells(frame), width or shutil.get_terminal_size().columns)
    if format in ("markdown", "latex"):
        return render_cells(cells(frame), format)
    raise ResultError(f"format: found {format!r}, expected one of {', '.join(FORMATS)}")


def render_cells(table: Cells, format: str) -> str:
    """Return a table of texts as "markdown", or as "latex": a ``tabular`` for booktabs."""
    return _markdown(table) if format == "markdown" else _latex(table)


def escape_latex(text: str) -> str:
    """Return text that LaTeX prints as it stands."""
    return re.sub("[" + re.escape("".join(_LATEX)) + "]", lambda match: _LATEX[match.group()], text)


def _markdown(table: Cells) -> str:
    rule = tuple("---:" if right else ":---" for right in table.right)
    escaped = [tuple(map(_escape_markdown, row)) for row in (table.headers, *table.rows)]
    return "".join(f"| {' | '.join(row)} |\n" for row in (escaped[0], rule, *escaped[1:]))


def _escape_markdown(text: str) -> str:
    return re.sub(r"([\\|*_`<\[])", r"\\\1", text)


def _latex(table: Cells) -> str:
    head, *rows = (" & ".join(map(escape_latex, row)) + r" \\" for row in (table.headers, *table.rows))
    columns = "".join("r" if right else "l" for right in table.right)
    lines = [rf"\begin{{tabular}}{{{columns}}}", r"\toprule", head, r"\midrule", *rows, r"\bottomrule"]
    return "\n".join([*lines, r"\end{tabular}"]) + "\n"
