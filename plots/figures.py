"""From curves to axes: the few lines that need matplotlib.

Figures are made as objects, without the state of pyplot, so that drawing works in any thread and changes
nothing for whoever else draws in the same process.
"""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from .recall_axis import set_recall_axis
from .style import SIZE, Look, line_styles
from .traces import Trace

LEGEND_LINE = 0.19  # inches
WIDE_LABEL = 34  # characters: longer legends get one column


def figure(
    traces: Sequence[Trace],
    looks: Mapping[str, Look],
    title: str,
    k: int,
    *,
    percent: bool = False,
    recall_scale: str = "linear",
) -> Figure:
    """Return a figure of curves of one kind, at least one of them.

    Parameters
    ----------
    traces
        The curves.
    looks
        Colour and marker by algorithm.
    title
        Names dataset, k, mode and threads.
    k
        Neighbours asked for, for the label of the recall axis.
    percent
        Points scanned are a percentage of the dataset.
    recall_scale
        "linear", or "nines": stretched towards 1.

    Raises
    ------
    PlotError
        An unknown scale.
    """
    columns = 1 if max(len(trace.label) for trace in traces) > WIDE_LABEL else 2
    lines = -(-len(traces) // columns)
    # The legend stands below the axes, which keep their size however many curves there are.
    canvas = Figure(figsize=(SIZE[0], SIZE[1] + LEGEND_LINE * lines), layout="constrained")
    FigureCanvasAgg(canvas)
    axes = canvas.add_subplot()
    dashes = line_styles(trace.threads for trace in traces)
    for trace in traces:
        _curve(axes, trace, looks[trace.algorithm], dashes[trace.threads])
    _label_axes(axes, traces, k, percent)
    _scale_axes(axes, traces, recall_scale)
    axes.set_title(title)
    canvas.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=columns)
    return canvas


def _curve(axes: Axes, trace: Trace, look: Look, dashes: str) -> None:
    # Markers at recall 1.0 sit on the frame: unclipped, they are seen whole.
    axes.plot(
        trace.x,
        trace.y,
        color=look.colour,
        marker=look.marker,
        linestyle=dashes,
        label=trace.label,
        clip_on=False,
        zorder=3,
    )
    if (trace.high > trace.low).any():
        if len(trace.x) > 1:
            axes.fill_between(trace.x, trace.low, trace.high, color=look.colour, alpha=0.2, linewidth=0)
        else:
            axes.vlines(trace.x, trace.low, trace.high, color=look.colour, alpha=0.5)


def _label_axes(axes: Axes, traces: Sequence[Trace], k: int, percent: bool) -> None:
    kind, recall = traces[0].kind, f"recall@{k}"
    if kind == "recall-qps":
        axes.set(xlabel=recall, ylabel="queries per second")
        return
    unit = "% of n" if percent else "mean per query"
    work = f"points scanned ({unit})" if kind == "recall-points" else "lists probed (% of the lists)"
    axes.set(xlabel=work, ylabel=recall)


def _scale_axes(axes: Axes, traces: Sequence[Trace], recall_scale: str) -> None:
    across = [value for trace in traces for value in trace.x]
    up = [value for trace in traces for value in (*trace.low, *trace.high)]
    if traces[0].kind == "recall-qps":
        set_recall_axis(axes, "x", across, recall_scale)
        plain_log(axes, "y", up)
    else:
        set_recall_axis(axes, "y", up, recall_scale)
        plain_log(axes, "x", across)


def plain_log(axes: Axes, which: str, values: Sequence[float]) -> None:
    """Numbers as people write them on a logarithmic axis, more of them where the range is short."""
    low, high = min(values), max(values)
    axis = axes.yaxis if which == "y" else axes.xaxis
    (axes.set_yscale if which == "y" else axes.set_xscale)("log")
    (axes.set_ylim if which == "y" else axes.set_xlim)(low / 1.15, high * 1.15)
    steps: tuple[float, ...] = (1.0, 2.0, 5.0) if high / low < 300 else (1.0,)
    if high / low < 6:
        steps = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0)
    axis.set_major_locator(LogLocator(base=10.0, subs=steps))
    axis.set_major_formatter(FuncFormatter(plain))
    axis.set_minor_formatter(NullFormatter())


def plain(value: float, _: int | None = None) -> str:
    """Return a number as people write it on an axis."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
