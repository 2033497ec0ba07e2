"use strict";
/* From curves to a chart: axes, colours and marks. Only this file knows the charting library. */
const chart = (() => {
  const RECALLS = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 1];
  const FEW_RECALLS = [0, 0.2, 0.5, 0.8, 0.9, 0.95, 0.99, 0.999, 1];
  const FAINT = 0.35, FAINTEST = 0.1;
  const EDGE = 5e-4; // logit has no place for 0 and 1: they stand this far inside
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const printed = window.matchMedia("print");
  const narrow = window.matchMedia("(max-width: 40rem)");

  const logit = (recall) => {
    const inside = Math.min(Math.max(recall, EDGE), 1 - EDGE);
    return Math.log10(inside / (1 - inside));
  };
  const place = (recall, scale) => (scale === "logit" ? logit(recall) : recall);

  const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const colour = (given) => (given === "#000000" ? ink("--ink") : given); // black would vanish in the dark
  const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

  function number(value) {
    if (value === null || value === undefined) return "–";
    if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en");
    return String(Number(value.toPrecision(3)));
  }

  function bytes(value) {
    const units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let step = 0;
    for (; value >= 1024 && step < units.length - 1; step++) value /= 1024;
    return `${Number(value.toPrecision(4))} ${units[step]}`;
  }

  const shown = (cost, value) => (value !== null && value !== undefined && cost.endsWith("_bytes") ? bytes(value) : number(value));

  function recallAxis(points, scale, few) {
    const recalls = points.map((point) => point.recall);
    const lowest = recalls.reduce((one, other) => Math.min(one, other), 0.95); // never too short to have ticks
    const from = place(lowest, scale), to = place(1, scale);
    const room = 0.03 * (to - from);
    const axis = {title: {text: "recall"}, range: [from - room, to + room]};
    if (scale !== "logit") return axis;
    const ticks = (few ? FEW_RECALLS : RECALLS).filter((recall) => place(recall, scale) >= axis.range[0]);
    return {...axis, tickvals: ticks.map((recall) => place(recall, scale)), ticktext: ticks.map(String), tickangle: 0};
  }

  function costAxis(points, cost) {
    const values = points.flatMap((point) => (cost === "qps" ? [point.qps, point.qps_low, point.qps_high] : [point[cost]])).filter((value) => value > 0);
    const low = Math.log10(values.reduce((one, other) => Math.min(one, other), Infinity));
    const high = Math.log10(values.reduce((one, other) => Math.max(one, other), 0));
    const room = Math.max(0.04 * (high - low), 0.05);
    const axis = {title: {text: curves.COSTS[cost].title}, type: "log", range: [low - room, high + room]};
    const {ticks, texts} = logTicks(low - room, high + room, cost);
    return values.length ? {...axis, tickvals: ticks, ticktext: texts} : {type: "log"};
  }

  /* Numbers as people write them: 1, 2, 5 or finer where the range is short. */
  function logTicks(low, high, cost) {
    const steps = high - low > 2.5 ? [1] : high - low > 0.8 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 6, 8];
    const ticks = [];
    for (let power = Math.floor(low); power <= high; power++) {
      for (const step of steps) {
        const value = step * 10 ** power;
        if (Math.log10(value) >= low && Math.log10(value) <= high) ticks.push(value);
      }
    }
    return {ticks, texts: ticks.map((value) => shown(cost, value))};
  }

  function layout(points, cost, scale, small) {
    const lines = {gridcolor: ink("--grid"), linecolor: ink("--grid"), zeroline: false, fixedrange: small || narrow.matches, automargin: true};
    const upwards = costAxis(points, cost);
    if (small) delete upwards.title;
    return {
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: {family: ink("--font"), size: small ? 11 : 13, color: ink("--ink")},
      margin: small ? {l: 48, r: 8, t: 8, b: 36} : {l: 64, r: 12, t: 12, b: 48},
      showlegend: false,
      hovermode: "closest",
      hoverlabel: {bgcolor: ink("--card"), bordercolor: ink("--grid"), font: {color: ink("--ink")}, align: "left"},
      xaxis: {...lines, ...recallAxis(points, scale, small || narrow.matches)},
      yaxis: {...lines, ...upwards},
    };
  }

  /* The trace of one line: {member, points}. */
  function trace(line, cost, scale, style) {
    const {member, points} = line;
    const interval = cost === "qps" && style === "line" && points.some((point) => point.qps_high > point.qps_low);
    return {
      type: "scatter",
      mode: style === "dots" ? "markers" : "lines+markers",
      x: points.map((point) => place(point.recall, scale)),
      y: points.map((point) => point[cost]),
      line: {color: colour(member.colour), width: 2},
      marker: {color: colour(member.colour), symbol: member.symbol, size: style === "line" ? 8 : 5},
      opacity: style === "dots" ? FAINT : 1,
      error_y: interval
        ? {type: "data", symmetric: false, array: points.map((point) => point.qps_high - point.qps), arrayminus: points.map((point) => point.qps - point.qps_low), thickness: 1, width: 0}
        : {visible: false},
      text: points.map((point) => `${escaped(member.label)}<br>recall ${point.recall.toFixed(4)}<br>${shown(cost, point[cost])} ${cost.endsWith("_bytes") ? "" : curves.COSTS[cost].unit}`),
      hoverinfo: style === "preview" ? "skip" : "text",
    };
  }

  /* Rings around chosen points, one to three figures in each. */
  function rings(marks, cost, scale) {
    const seen = marks.filter((mark) => mark.point[cost] > 0);
    return {
      type: "scatter",
      mode: "markers+text",
      x: seen.map((mark) => place(mark.point.recall, scale)),
      y: seen.map((mark) => mark.point[cost]),
      text: seen.map((mark) => mark.text),
      textposition: "top right",
      marker: {symbol: "circle-open", size: 17, line: {width: 2}, color: ink("--ink")},
      hoverinfo: "skip",
    };
  }

  function upright(level, scale) {
    const at = place(level, scale);
    return [{type: "line", xref: "x", yref: "paper", x0: at, x1: at, y0: 0, y1: 1, line: {color: ink("--accent"), width: 1.5, dash: "dot"}}];
  }

  /* Lets some traces stand out: `chosen` says so of each of the first traces of a chart. */
  function emphasise(element, chosen) {
    const opacities = chosen.map((one, place) => (!one ? FAINTEST : element.data[place].mode === "markers" ? FAINT : 1));
    if (opacities.length) Plotly.restyle(element, {opacity: opacities}, opacities.map((_, place) => place));
  }

  const moveUpright = (element, level, scale) => Plotly.relayout(element, {shapes: upright(level, scale)});

  /* Calls back when colours change: with the theme of the system, and on paper. */
  function whenRestyled(redraw) {
    for (const query of [dark, printed, narrow]) query.addEventListener("change", redraw);
  }

  const OPTIONS = {responsive: true, displaylogo: false, displayModeBar: false, doubleClick: "reset"};
  const draw = (element, traces, frame) => Plotly.react(element, traces, frame, OPTIONS);
  const drawStill = (element, traces, frame) => Plotly.newPlot(element, traces, frame, {...OPTIONS, staticPlot: true});

  return {layout, trace, rings, upright, moveUpright, emphasise, draw, drawStill, whenRestyled, number, shown, colour, place};
})();
