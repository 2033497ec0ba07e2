"""A report as a folder of pages that needs neither a server nor a network.

Text from results reaches a page through templates that escape it, or as JSON that scripts put into the page as text;
no result is ever read as markup or as code. Equal results give equal bytes.
"""

import importlib.metadata
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from ... import __version__
from ...results.builds import builds
from ...results.competition import BASELINE
from ...results.files import replacing
from ...results.paired import RESAMPLES
from ...results.run import Run
from ...results.table import table
from ..errors import PlotError
from .pages import pages

if TYPE_CHECKING:
    from jinja2 import Environment

HERE = Path(__file__).parent
CHARTS = "plotly.min.js"
NEEDED = {"jinja2": "templates", "plotly": "charts"}
WHILE_IT_GROWS = 400  # resamples of a report that is written again and again


def write_site(
    runs: Sequence[Run], folder: Path | str, baseline: str = BASELINE, version: str | None = None
) -> list[Path]:
    """Write the report of some runs and return its files, the page to open first.

    Parameters
    ----------
    runs
        As `load_runs` gives them.
    folder
        Where it goes; files of the same names are replaced, others left alone.
    baseline
        What routers are compared with, see `contests`.
    version
        Names these results, letters and digits: open pages reload once the folder holds another version. None: the
        report is final. Until then routers are compared on fewer resamples, and the page says so.

    Raises
    ------
    PlotError
        There is no run, or the `report` extra is not installed. One line.
    """
    _check_installed()
    if not runs:
        raise PlotError("report: found no finished run, expected some (ivfbench run)")
    folder, frame = Path(folder), table(runs)
    shown = pages(runs, frame, baseline, RESAMPLES if version is None else WHILE_IT_GROWS)
    templates = _templates()
    menu = [(page.file, page.title, page.template == "dataset.html") for page in shown]
    written = []
    for page in shown:
        said = {"page": page, "menu": menu, "ivfbench": __version__, "version": version, **page.content}
        text = templates.get_template(page.template).render(said)
        written.append(_write(folder / page.file, text.encode()))
    written += [*_write_data(runs, frame, folder / "data"), *_write_assets(folder / "assets")]
    if version is not None:  # last: whoever reloads finds everything
        written.append(_write(folder / "assets" / "version.js", f'live.found("{version}");\n'.encode()))
    return written


def _check_installed() -> None:
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        found = f"found no {missing[0]} ({NEEDED[missing[0]]})"
        raise PlotError(f"report: {found}, expected it installed: pip install 'ivfbench[report]'")


def _templates() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    templates = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.policies["json.dumps_kwargs"] = {"sort_keys": True, "separators": (",", ":"), "allow_nan": False}
    return templates


def _write_data(runs: Sequence[Run], frame: pd.DataFrame, folder: Path) -> list[Path]:
    written = []
    for name, content in (("results", frame), ("builds", builds(runs))):
        written.append(_write(folder / f"{name}.csv", content.to_csv(index=False, lineterminator="\n").encode()))
        written.append(folder / f"{name}.parquet")
        with replacing(written[-1]) as temporary:
            content.to_parquet(temporary, index=False)
    return written


def _write_assets(folder: Path) -> list[Path]:
    # The charts come from the installed package: they are no part of this one, and never downloaded.
    charts = Path(str(importlib.metadata.distribution("plotly").locate_file(f"plotly/package_data/{CHARTS}")))
    sources = [charts, *sorted((HERE / "assets").iterdir())]
    return [_write(folder / path.name, path.read_bytes()) for path in sources]


def _write(path: Path, content: bytes) -> Path:
    if path.is_file() and path.read_bytes() == content:
        return path
    with replacing(path) as temporary:
        temporary.write_bytes(content)
    return path
