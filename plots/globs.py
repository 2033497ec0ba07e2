"""Which datasets and algorithms were asked for: globs over the names in a table."""

from fnmatch import fnmatchcase

import pandas as pd

from .errors import NothingToShowError
from .kind import Options


def chosen(frame: pd.DataFrame, options: Options) -> pd.DataFrame:
    """Return the rows of the datasets and algorithms asked for; of a table that names neither, all.

    Raises
    ------
    NothingToShowError
        Globs that match nothing. The line names what they could match.
    """
    for column, globs in (("dataset", options.datasets), ("algorithm", options.algorithms)):
        if globs and column in frame:
            names = sorted(set(frame[column]))
            matching = [name for name in names if any(fnmatchcase(name, glob) for glob in globs)]
            if not matching:
                expected = f"expected a glob for one of: {', '.join(names) or 'none'}"
                raise NothingToShowError(f"{column}: found no match for {' or '.join(globs)}, {expected}")
            frame = frame[frame[column].isin(matching)]
    return frame
