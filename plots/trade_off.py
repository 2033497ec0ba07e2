"""What a router costs against what it saves: time to route, points left to scan.

Twenty names on one figure hide what it shows. A type of router has a colour and a marker; only those on the front,
where nobody routes faster and leaves less to scan, are named, and the baseline.
"""

from collections.abc import Sequence

import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from .figures import plain_log
from .place_labels import place_labels
from .routing_curves import GREY
from .style import PARAMETERS, looks


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
    canvas = Figure(figsize=(6.8, 5.4), dpi=PARAMETERS["savefig.dpi"], layout="constrained")  # measured as it is saved
    agg = FigureCanvasAgg(canvas)
    axes = canvas.add_subplot()
    shown = shown.assign(family=shown["algorithm"].map(_family))
    appearance = looks(shown["family"])
    best = on_front(list(shown["latency_us"]), list(shown[work]))
    line = shown[best].sort_values("latency_us")
    axes.plot(line["latency_us"], line[work], color="#CCCCCC", linewidth=1.2, zorder=1)
    for row in shown.to_dict("records"):
        look = appearance[row["family"]]
        colour = GREY.get("baseline" if row["baseline"] else row["family"].lower()) or look.colour
        axes.plot(row["latency_us"], row[work], look.marker, color=colour, markersize=6)
    _widen(axes, shown["latency_us"], shown[work])
    axes.set(xlabel="routing time per query (µs, one thread, median)", ylabel=f"points scanned at recall@{k} {level:g}")
    axes.set_title(title)
    handles = [Line2D([], [], color=GREY.get(name.lower(), look.colour), marker=look.marker, linestyle="none")
               for name, look in appearance.items()]  # fmt: skip
    canvas.legend(handles, list(appearance), loc="outside lower center", ncols=5, fontsize=7.5)
    canvas.canvas.draw()  # fixes the place of the axes, which labels are measured against
    canvas.set_layout_engine("none")
    names = [
        f"{row['router']}, baseline" if row["baseline"] else row["router"] if named else ""
        for row, named in zip(shown.to_dict("records"), best, strict=True)
    ]
    place_labels(agg, axes, list(shown["latency_us"]), list(shown[work]), names)
    return canvas


def on_front(costs: Sequence[float], others: Sequence[float]) -> list[bool]:
    """Return for each dot whether no other is at least as low in both, and lower in one."""
    dots = list(zip(costs, others, strict=True))
    return [not any(x <= a and y <= b and (x, y) != (a, b) for x, y in dots) for a, b in dots]


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
