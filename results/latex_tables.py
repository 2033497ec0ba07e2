"""Tables for papers: floats for booktabs, with the units and the definitions that a reader needs in the caption.

A comparison becomes one table for each dataset, k, mode and number of threads: a row for each algorithm, a column for
each recall, the best of each column in bold, stars where the difference to the baseline is significant. Any other
table becomes one float, as wide as it is.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from .caption import RATE, RECALL, caption, remarks
from .cells import NOTHING, number
from .columns import BY_NAME
from .comparison import GROUP
from .labels import short_labels
from .probing import with_probing
from .render import escape_latex, render
from .run import Run
from .significance import SIGNIFICANT, rate_p_values

COSTS = {"qps": ("queries per second at recall", True), "points_scanned": ("points scanned at recall", False)}
AT_RECALL = (
    "Each front is read at these recalls on a line between its two neighbouring points, logarithmic in the cost, never "
    "beyond its ends; several seeds give their median."
)
BOLD = "The best of those that were read in a column is in bold."
STAR = (
    "A star marks a time per query that differs from the baseline's: p below 0.05 in a paired bootstrap over queries "
    "and seeds, corrected by Holm's method over these tables."
)
NEEDS = "% needs \\usepackage{booktabs}\n"


def latex_tables(frame: pd.DataFrame, runs: Iterable[Run], baseline: str | None = None) -> str:
    """Return a table, a comparison or the builds as LaTeX.

    Parameters
    ----------
    frame
        As `table`, `comparison` or `builds` returns it.
    runs
        It was made of them: they say what is significant, and what their rows do not say.
    baseline
        The glob with which the comparison was made.
    """
    runs = list(runs)
    if "qps_state" not in frame:
        return NEEDS + _float(render(frame, "latex"), " ".join([caption(frame), *_units(frame), *remarks(runs)]))
    p_values = rate_p_values(runs, frame) if "qps_ratio" in frame else pd.Series(float("nan"), frame.index)
    said = [RECALL, RATE, AT_RECALL, BOLD, *([STAR] if p_values.notna().any() else []), *remarks(runs)]
    said += [f"Ratios in brackets are to {baseline}."] if baseline else []
    groups = frame.assign(p=p_values).groupby(list(GROUP), sort=True)
    return NEEDS + "\n".join(_comparison(dict(zip(GROUP, key, strict=True)), rows, said) for key, rows in groups)


def _units(frame: pd.DataFrame) -> list[str]:
    named = [f"{name} in {BY_NAME[name].unit}" for name in frame.columns if name in BY_NAME and BY_NAME[name].unit]
    return [f"Units: {', '.join(named)}."] if named else []


def _comparison(group: Mapping[str, Any], rows: pd.DataFrame, said: list[str]) -> str:
    levels = sorted(set(rows["recall"]))
    costs = [cost for cost in COSTS if rows[cost].notna().any()]
    best = {
        (cost, level): some[cost].max() if COSTS[cost][1] else some[cost].min()
        for level, some in rows.groupby("recall")
        for cost in costs
    }
    short = short_labels(rows["algorithm"])
    lines = []
    curves: Any = rows.groupby(["algorithm", "probing"], sort=True)
    for (algorithm, probing), some in curves:
        by_level = {row["recall"]: row for row in some.to_dict("records")}
        cells = [_cell(cost, by_level.get(level, {}), best[cost, level]) for cost in costs for level in levels]
        lines.append(" & ".join([escape_latex(with_probing(short[algorithm], probing)), *cells]) + r" \\")
    width = len(levels)
    heads = " & ".join(["", *(rf"\multicolumn{{{width}}}{{c}}{{{COSTS[cost][0]}}}" for cost in costs)]) + r" \\"
    rules = " ".join(rf"\cmidrule(lr){{{2 + width * i}-{1 + width * (i + 1)}}}" for i in range(len(costs)))
    names = " & ".join(["algorithm", *(f"{level:g}" for _ in costs for level in levels)]) + r" \\"
    tabular = [rf"\begin{{tabular}}{{l{'r' * width * len(costs)}}}", r"\toprule", *([heads, rules] if costs else [])]
    tabular += [names, r"\midrule", *lines, r"\bottomrule", r"\end{tabular}"]
    threads = "1 thread" if group["threads"] == 1 else f"{group['threads'] or '?'} threads"
    first = f"{group['dataset']}, k = {group['k']}, mode {group['mode']}, {threads}."
    return _float("\n".join(tabular) + "\n", " ".join([first, *said]))


def _cell(cost: str, row: Mapping[Any, Any], best: float) -> str:
    value = row.get(cost, float("nan"))
    if value != value:
        state = row.get(f"{cost}_state", NOTHING)
        return r"\textit{" + escape_latex(str(state)) + "}"
    text = number(cost, value)
    text = rf"\textbf{{{text}}}" if value == best else text
    if cost == "qps" and row["p"] < SIGNIFICANT:
        text += r"$^{*}$"
    ratio = row.get(f"{cost}_ratio", float("nan"))
    return text if ratio != ratio else f"{text} ({number(f'{cost}_ratio', ratio)})"


def _float(tabular: str, said: str) -> str:
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{escape_latex(said)}}}",
        tabular.rstrip("\n"),
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"
