"""What can go wrong in this room, said in one line."""


class PlotError(ValueError):
    """A figure that cannot be drawn from the rows given."""


class NothingToShowError(PlotError):
    """Sound rows, none of which has a place in this kind of figure: exact search opens no lists."""
