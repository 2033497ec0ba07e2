"""What can be wrong with a dataset, said in one line.

Every fault a user can cause (a wrong name, a damaged file, a refused download) arrives as a `DatasetError`,
so that the command line prints its text and nothing else. Faults of the caller's code stay plain
`ValueError`.
"""


class DatasetError(ValueError):
    """A dataset cannot be used; the message is one line: what, where, what was found, what was expected."""


class UnknownDataset(DatasetError):  # noqa: N818  (it reads as what it says)
    """No dataset has this name; the message offers the nearest names that exist."""


def one_line(error: BaseException) -> str:
    """Give the first line of an error's text, or its kind where it has no text.

    Parameters
    ----------
    error
        Any exception.

    Returns
    -------
    str
        A non-empty single line.
    """
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
