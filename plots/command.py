"""`ivfbench plot`: which kinds are drawn from a folder of results, and what is said of those that cannot be."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from ..results.table import dataset_name
from .draw import draw
from .errors import NothingToShowError
from .globs import chosen
from .kind import USUAL_OPTIONS, Options, Source
from .registry import KINDS, USUAL, kind_named
from .save import DRAWN, check_formats

log = logging.getLogger(__name__)


def draw_kinds(
    source: Source,
    names: Sequence[str],
    folder: Path,
    formats: Sequence[str] = DRAWN,
    options: Options = USUAL_OPTIONS,
    *,
    all_kinds: bool = False,
) -> Iterator[Path]:
    """Draw kinds of figures and yield the paths as they are written.

    Parameters
    ----------
    source
        Results.
    names
        Kinds. If none are named: `registry.USUAL`, or with `all_kinds` every kind. Those that nobody named may be
        absent; the log says why.
    folder, formats, options
        As for `draw`.

    Raises
    ------
    PlotError
        An unknown kind, globs that match nothing in the results, or what `draw` raises; a kind that was named and
        cannot be shown.
    """
    check_formats(formats)
    kinds = [kind_named(name) for name in names] or [KINDS[name] for name in (KINDS if all_kinds else USUAL)]
    table = source.table
    chosen(_names(source), options)  # once for all kinds: one of them may lack what the results have
    everybody = sorted(set(table["series"]))
    drawn = 0
    for kind in kinds:
        try:
            rows = kind.rows(source, options)
            paths = draw(rows, kind, folder, formats, options, everybody)
        except NothingToShowError as reason:
            if names:
                raise
            log.warning("no figure %s: %s", kind.name, reason)
            continue
        drawn += len(paths)
        yield from paths
    if not drawn:
        raise NothingToShowError(f"nothing to draw{_why(table)}")


def _names(source: Source) -> pd.DataFrame:
    # Of the runs: one that was only routed has no rows in the table.
    names = [(dataset_name(run), run.algorithm) for run in source.runs]
    return pd.DataFrame(names, columns=["dataset", "algorithm"])


def _why(table: pd.DataFrame) -> str:
    if table.empty:
        return ": the table has no rows"
    return "" if (table["status"] == "ok").any() else f": all rows of the table failed ({len(table)})"
