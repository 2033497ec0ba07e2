"""What can go wrong in this room, said in one line: what, where, found, expected."""


class ResultError(ValueError):
    """A result that cannot be written, read or summarised as asked."""


class UnwritableError(ResultError):
    """A file that the system would not let us write: no space, no permission, too large."""

    exit_code = 1  # nothing was asked wrongly


class NewerSchemaError(ResultError):
    """A result file written by a later version of the format than this code knows."""
