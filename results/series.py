"""One algorithm over several datasets: the same method, although its number of lists follows the data.

``IVF(KMeans(lists=328), Learnt(), Float32())`` on one dataset and ``IVF(KMeans(lists=447), ...)`` on another are what
one line of an experiment ("√n" lists) made of both. A figure of several datasets shows them as one.
"""

import re
from typing import Any

import pandas as pd

from .probing import with_probing

_LISTS = re.compile(r"(, )?\blists=\d+(, )?")


def without_lists(algorithm: str) -> str:
    """Return the text of an algorithm without its numbers of lists: of "A(lists=328, rank=64)" "A(rank=64)"."""
    return _LISTS.sub(lambda match: ", " if match[1] and match[2] else "", algorithm)


def series(frame: pd.DataFrame) -> "pd.Series[Any]":
    """Return for each row the text that stands for its method wherever it was measured, with its probing policy.

    Parameters
    ----------
    frame
        With the columns ``dataset``, ``algorithm`` and ``probing``.

    Returns
    -------
    Series of str
        The canonical text without the number of lists; but with it where some dataset was searched with several
        numbers, because then they are what is compared.
    """
    short = frame["algorithm"].map(without_lists)
    texts = frame.assign(short=short).groupby(["dataset", "short"])["algorithm"].nunique()
    compared = set(texts[texts > 1].index.get_level_values("short"))
    names = [
        with_probing(text if without in compared else without, probing)
        for text, without, probing in zip(frame["algorithm"], short, frame["probing"], strict=True)
    ]
    return pd.Series(names, frame.index, dtype="str")
