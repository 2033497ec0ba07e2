"""A report as data: headings, sentences, tables and figures, and the two forms it is written in."""

from collections.abc import Sequence
from dataclasses import dataclass

from .cells import Cells
from .render import escape_latex, render_cells


@dataclass(frozen=True)
class Picture:
    """A figure: `stem` is its file without ending, in the folder of the report."""

    stem: str
    caption: str


@dataclass(frozen=True)
class Section:
    """A heading, and under it a sentence, a table and figures, each of which may be absent."""

    title: str
    text: str = ""
    table: Cells | None = None
    pictures: Sequence[Picture] = ()


@dataclass(frozen=True)
class Document:
    """A report."""

    title: str
    introduction: Sequence[str]
    sections: Sequence[Section]


def markdown(document: Document) -> str:
    """Return the report as Markdown; figures are the PNG files beside it."""
    parts = [f"# {document.title}", *document.introduction]
    for section in document.sections:
        parts += [f"## {section.title}", section.text]
        parts += [render_cells(section.table, "markdown").rstrip("\n")] if section.table else []
        parts += [f"![{picture.caption}]({picture.stem}.png)\n\n*{picture.caption}*" for picture in section.pictures]
    return "\n\n".join(part for part in parts if part) + "\n"


def latex(document: Document) -> str:
    """Return the report as LaTeX to be included, with booktabs and graphicx; figures are the PDF files beside it."""
    parts = ["% needs \\usepackage{booktabs,graphicx}", _heading("section", document.title)]
    parts += [escape_latex(sentence) for sentence in document.introduction]
    for section in document.sections:
        parts += [_heading("subsection", section.title), escape_latex(section.text)]
        parts += [render_cells(section.table, "latex").rstrip("\n")] if section.table else []
        parts += [_picture(picture) for picture in section.pictures]
    return "\n\n".join(part for part in parts if part) + "\n"


def _heading(level: str, title: str) -> str:
    return rf"\{level}{{{escape_latex(title)}}}"


def _picture(picture: Picture) -> str:
    lines = (
        r"\begin{figure}",
        r"\centering",
        rf"\includegraphics[width=\linewidth]{{{picture.stem}.pdf}}",
        rf"\caption{{{escape_latex(picture.caption)}}}",
        r"\end{figure}",
    )
    return "\n".join(lines)
