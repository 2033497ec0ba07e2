"""What a user can get wrong about a run, said in one line."""


class RunError(ValueError):
    """A run that cannot begin: the message names what, where, found and expected."""
