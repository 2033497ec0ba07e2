"""What a user can get wrong about a run, said in one line."""


class RunError(ValueError):
    """A run that cannot begin: the message names what, where, found and expected."""

    exit_code = 2


class StoppedError(RunError):
    """A run that cannot go on: what was finished is kept."""

    exit_code = 1
