"""What a router costs against what it saves: time to route, points left to scan."""

import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from .figures import plain_log
from .place_labels import place_labels
from .routing_curves import GREY
from .style import COLOURS, MARKERS, PARAMETERS


def trade_off(rows: pd.DataFrame, k: int, level: float, title: str) -> Figure | None:
    """Return the figure of one contest: points scanned at a recall over routing time, both logarithmic.

    Parameters
    ----------
    rows
        Rows of the laboratory's table of one contest.
    k, level
        The recall.
    title
        Names dataset and clustering.

    Returns
    -------
    Figure or None
        None if no router reaches the level.
    """
    work = f"points_at_{level:g}"
    shown = rows[(rows["k"] == k) & rows[work].notna()].drop_duplicates("router").sort_values("router")
    if shown.empty:
        return None
    canvas = Figure(figsize=(6.8, 5.0), dpi=PARAMETERS["savefig.dpi"], layout="constrained")  # measured as it is saved
    agg = FigureCanvasAgg(canvas)
    axes = canvas.add_subplot()
    families = shown["algorithm"].map(_family)
    looks = {name: place for place, name in enumerate(sorted(set(families)))}
    for family, row in zip(families, shown.to_dict("records"), strict=True):
        place = looks[family]
        grey = GREY.get("baseline" if row["baseline"] else family.lower())
        colour = grey or COLOURS[place % len(COLOURS)]
        axes.plot(row["latency_us"], row[work], MARKERS[place % len(MARKERS)], color=colour, markersize=6)
    _widen(axes, shown["latency_us"], shown[work])
    axes.set(xlabel="routing time per query (µs, one thread, median)", ylabel=f"points scanned at recall@{k} {level:g}")
    axes.set_title(title)
    canvas.canvas.draw()  # fixes the place of the axes, which labels are measured against
    canvas.set_layout_engine("none")
    names = [f"{row['router']}, baseline" if row["baseline"] else row["router"] for row in shown.to_dict("records")]
    place_labels(agg, axes, list(shown["latency_us"]), list(shown[work]), names)
    return canvas


def _family(algorithm: str) -> str:
    # The type of the router: the second member of the text, as `IVF(KMeans(lists=4), Learnt(), Float32())` has it.
    inside = algorithm.partition("), ")[2]
    return inside.partition("(")[0]


def _widen(axes: object, across: "pd.Series[float]", up: "pd.Series[float]") -> None:
    # Room at the sides for the labels of the outermost dots.
    for which, values in (("x", across), ("y", up)):
        low, high = float(values.min()), float(values.max())
        room = (high / low) ** 0.12 * (1.25 if which == "x" else 1.1)
        plain_log(axes, which, [low / room, high * room])  # type: ignore[arg-type]
