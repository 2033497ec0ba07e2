"""`ivfbench roofline`, behind the command line: from sizes to the two tables."""

from pathlib import Path
from typing import NamedTuple

import pandas as pd
from rich.console import Console

from ...results.roofline import limits_table, roofline_table
from ..command import check_folder
from ..display import make_display
from ..environment import environment
from .measure import measure_roofline
from .sizes import MIB, Sizes


class Roofline(NamedTuple):
    """What was measured.

    Attributes
    ----------
    table, limits : DataFrame
        As `roofline_table` and `limits_table` return them.
    remark : str
        On what.
    """

    table: pd.DataFrame
    limits: pd.DataFrame
    remark: str


def run_roofline(out: Path, dimension: int, list_size: int, memory: int, seconds: float) -> Roofline:
    """Measure the limits of this machine and every kernel, and show progress.

    Parameters
    ----------
    out : Path
        Where results will go: checked before anything is measured.
    dimension, list_size : int
    memory : int
        MiB of cold data.
    seconds : float
        For each kernel and each limit.

    Raises
    ------
    RunError
        The folder cannot be written to.
    """
    check_folder(out)
    sizes = Sizes(dimension=dimension, list_size=list_size, cold=memory * MIB, seconds=seconds)
    with make_display(Console(stderr=True)) as display:
        limits, measurements = measure_roofline(sizes, progress=display.stage)
    remark = (
        f"{environment()['processor']}. Vectors of dimension {dimension} in lists of {list_size}; cold data is spread "
        f'over {memory} MiB. Limits and kernels are the fastest of many calls of about a millisecond; "of limit" is '
        "the time that the tighter limit demands over the time taken."
    )
    return Roofline(roofline_table(measurements, limits), limits_table(limits), remark)
