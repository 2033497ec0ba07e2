"use strict";
/* Everything about one point, in words. Text from results is only ever put into the page as text. */
const details = (() => {
  const NAMES = {
    recall: "recall", qps: "queries per second", latency_p50_ms: "latency, median (ms)", latency_p95_ms: "latency, 95th percentile (ms)",
    latency_p99_ms: "latency, 99th percentile (ms)", lists_probed: "lists probed", points_scanned: "points scanned",
  };
  const BUILD = {
    build_seconds: "build (s)", learn_seconds: "learning (s)", label_seconds: "labelling (s)", compile_seconds: "compiling (s)",
    index_bytes: "index", router_bytes: "router",
  };

  function make(tag, text, className) {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    if (className) element.className = className;
    return element;
  }

  /* A marker as the chart draws it, for tables and headings. */
  const SHAPES = {
    circle: "M8 3a5 5 0 1 0 .01 0z", square: "M3.5 3.5h9v9h-9z", diamond: "M8 2l6 6-6 6-6-6z",
    "triangle-up": "M8 2.5l6 10.5H2z", "triangle-down": "M8 13.5L2 3h12z",
    "triangle-left": "M2.5 8L13 2v12z", "triangle-right": "M13.5 8L3 14V2z",
    cross: "M6 2h4v4h4v4h-4v4H6v-4H2V6h4z", x: "M4.5 2L8 5.5 11.5 2 14 4.5 10.5 8l3.5 3.5-2.5 2.5L8 10.5 4.5 14 2 11.5 5.5 8 2 4.5z",
  };

  function swatch(member) {
    const space = "http://www.w3.org/2000/svg";
    const drawing = document.createElementNS(space, "svg");
    drawing.setAttribute("viewBox", "0 0 16 16");
    drawing.setAttribute("class", "swatch");
    drawing.setAttribute("aria-hidden", "true");
    const path = document.createElementNS(space, "path");
    path.setAttribute("d", SHAPES[member.symbol] || SHAPES.circle);
    path.setAttribute("fill", member.colour === "#000000" ? "currentColor" : member.colour);
    drawing.append(path);
    return drawing;
  }

  /* Nested parameters by dotted name. */
  function flat(content, path = "") {
    return Object.entries(content || {}).flatMap(([name, value]) =>
      value !== null && typeof value === "object" && !Array.isArray(value) ? flat(value, `${path}${name}.`) : [[path + name, value]]);
  }

  const text = (value) => (typeof value === "string" ? value : JSON.stringify(value));

  function group(title, entries) {
    if (!entries.length) return [];
    const list = make("dl");
    for (const [name, value] of entries) {
      const row = make("div");
      row.append(make("dt", name), make("dd", value));
      list.append(row);
    }
    return [make("h4", title), list];
  }

  function measures(point) {
    return Object.entries(NAMES).filter(([name]) => typeof point[name] === "number").map(([name, title]) => {
      if (name === "recall") return [title, point.recall.toFixed(4)];
      const value = chart.number(point[name]);
      return [title, name === "qps" ? `${value} (${chart.number(point.qps_low)} to ${chart.number(point.qps_high)})` : value];
    });
  }

  /* A card about a point of a member. */
  function card(member, point, heading) {
    const {curve} = point;
    const box = make("div", undefined, "details");
    const title = make("h3");
    title.append(swatch(member), heading ? `${heading}. ${member.label}` : member.label);
    const built = Object.entries(BUILD).filter(([name]) => typeof curve.build[name] === "number").map(([name, title]) => [title, chart.shown(name, curve.build[name])]);
    box.append(
      title,
      ...group("Measured", measures(point)),
      ...group("Asked", [...flat(point.query).map(([name, value]) => [name, text(value)]), ["k", curve.k], ["mode", curve.mode], ["threads", curve.threads]]),
      ...group("Cost of the build", built),
      ...group("Built with", [...flat(curve.build.parameters).map(([name, value]) => [name, text(value)]), ["seed", curve.seed]]),
    );
    return box;
  }

  return {card, swatch, make};
})();
