"""What can go wrong in this room, said in one line."""


class PlotError(ValueError):
    """A figure that cannot be drawn from the rows given."""
