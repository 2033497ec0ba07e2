"use strict";
/* The page of a dataset: what is shown, and how the reader changes it. */
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const all = data.curves.map((curve) => ({curve, member: data.members[curve.member], points: curves.points(curve)}));
  const state = {setting: 0, cost: "qps", scale: "linear", dominated: false, level: 0.9, hidden: new Set(), pinned: [], current: null};
  let lines = []; // of the setting: {curve, member, points}, and `front` under the cost shown

  const ofSetting = () => {
    const asked = data.settings[state.setting];
    return all.filter(({curve}) => curve.k === asked.k && curve.mode === asked.mode && curve.threads === asked.threads);
  };
  const visible = () => lines.filter(({curve}) => !state.hidden.has(curve.member) && curve.points.recall.length);
  const described = ({k, mode, threads}) =>
    `k = ${k}, ${mode === "single" ? "one query per call" : mode === "batch" ? "all queries in one call" : mode}, ${threads} thread${threads > 1 ? "s" : ""}`;

  // ---- the chart

  let drawn = []; // the points behind each trace, to find what was clicked

  function draw() {
    for (const line of lines) line.front = curves.front([...line.points], state.cost);
    const shownLines = visible();
    const dots = state.dominated ? shownLines.filter(() => !curves.COSTS[state.cost].ofBuild) : [];
    drawn = [...dots.map((line) => [line, line.points]), ...shownLines.map((line) => [line, line.front])];
    const traces = drawn.map(([line, points], place) =>
      chart.trace({member: line.member, points}, state.cost, state.scale, place < dots.length ? "dots" : "line"));
    const extent = (shownLines.length ? shownLines : lines).flatMap((line) => (state.dominated ? line.points : line.front)).filter((point) => point[state.cost] > 0);
    const frame = {...chart.layout(extent, state.cost, state.scale, false), shapes: chart.upright(state.level, state.scale)};
    const marks = state.pinned.filter((pin) => shownLines.includes(pin.line)).map((pin) => ({point: pin.point, text: String(pin.number)}));
    if (state.current && shownLines.includes(state.current.line)) marks.push({point: state.current.point, text: ""});
    return chart.draw(byId("chart"), [...traces, chart.rings(marks, state.cost, state.scale)], frame);
  }

  function choose(line, point) {
    state.current = {line, point};
    byId("point").replaceChildren(details.card(line.member, point));
  }

  function pin(line, point) {
    const found = state.pinned.findIndex((one) => one.point === point);
    if (found >= 0) state.pinned.splice(found, 1);
    else state.pinned.push({line, point, number: 1 + Math.max(0, ...state.pinned.map((one) => one.number))});
    showPinned();
    draw();
  }

  function showPinned() {
    byId("pinned-section").hidden = !state.pinned.length;
    byId("pinned").replaceChildren(...state.pinned.map(({line, point, number}) => {
      const card = details.card(line.member, point, number);
      const remove = details.make("button", "Unpin");
      remove.type = "button";
      remove.setAttribute("aria-label", `Unpin point ${number}`);
      remove.addEventListener("click", () => pin(line, point));
      card.append(remove);
      return card;
    }));
  }

  function under(event) {
    const hit = event.points && event.points.find((one) => one.curveNumber < drawn.length);
    if (!hit) return null;
    const [line, points] = drawn[hit.curveNumber];
    return [line, points[hit.pointNumber]];
  }

  /* Arrows: left and right along a curve, up and down between curves at about the same recall. */
  function walk(key) {
    const walkable = visible().filter((line) => line.front.length);
    if (!walkable.length) return;
    let {line, point} = state.current || {};
    const at = walkable.indexOf(line);
    const step = {ArrowRight: 1, ArrowLeft: -1}[key] || 0;
    if (at < 0) {
      line = walkable[0];
      point = line.front[0];
    } else if (step) {
      const next = line.front.indexOf(point) + step;
      point = line.front[Math.min(Math.max(next, 0), line.front.length - 1)];
    } else {
      line = walkable[(at + (key === "ArrowUp" ? 1 : walkable.length - 1)) % walkable.length];
      const near = (one) => Math.abs(one.recall - point.recall);
      point = line.front.reduce((best, one) => (near(one) < near(best) ? one : best));
    }
    choose(line, point);
    draw();
  }

  // ---- the table

  const COLUMNS = ["qps", "latency_p50_ms", "points_scanned", "lists_probed", "build_total", "index_bytes"];
  const TITLES = {qps: "queries/s", latency_p50_ms: "median ms", points_scanned: "points scanned", lists_probed: "lists probed", build_total: "build and learning s", index_bytes: "index"};
  const rows = new Map(); // by member: {row, cells}

  function startTable() {
    rows.clear();
    const told = COLUMNS.filter((cost) => curves.COSTS[cost].ofBuild || lines.some(({curve}) => curve.points[cost]));
    byId("at-recall-head").replaceChildren(...["algorithm", ...told.map((cost) => TITLES[cost]), "best recall"].map((title, place) => {
      const head = details.make("th", title, place ? "right" : "");
      head.scope = "col";
      return head;
    }));
    for (const place of new Set(lines.map(({curve}) => curve.member))) rows.set(place, makeRow(place, told));
    byId("at-recall").tBodies[0].replaceChildren(...[...rows.values()].map(({row}) => row));
  }

  function makeRow(place, told) {
    const member = data.members[place];
    const own = lines.filter(({curve}) => curve.member === place);
    const row = details.make("tr");
    const name = details.make("th");
    name.scope = "row";
    const label = details.make("label");
    const box = details.make("input");
    box.type = "checkbox";
    box.checked = !state.hidden.has(place);
    box.addEventListener("change", () => {
      if (box.checked) state.hidden.delete(place);
      else state.hidden.add(place);
      remember();
      draw();
    });
    const emphasise = (chosen) => chart.emphasise(byId("chart"), drawn.map(([line]) => !chosen || line.curve.member === place));
    for (const [event, chosen] of [["pointerenter", true], ["pointerleave", false], ["focusin", true], ["focusout", false]]) {
      row.addEventListener(event, () => emphasise(chosen && box.checked));
    }
    label.append(box, details.swatch(member), details.make("span", member.label));
    label.title = member.algorithm;
    name.append(label);
    const cells = told.map((cost) => [cost, details.make("td", undefined, "right")]);
    const best = details.make("td", Math.max(...own.flatMap(({curve}) => curve.points.recall)).toFixed(4), "right");
    row.append(name, ...cells.map(([, cell]) => cell), best);
    const fronts = Object.fromEntries(told.map((cost) => [cost, own.map(({points}) => curves.front([...points], cost))]));
    return {row, box, cells, fronts};
  }

  function fillTable() {
    byId("level-shown").value = state.level.toFixed(3);
    const readings = [...rows.values()].map((entry) => {
      const read = Object.fromEntries(entry.cells.map(([cost]) => [cost, curves.COSTS[cost].ofBuild
        ? {state: "reached", value: curves.median(entry.fronts[cost].map((front) => (front.length ? front[0][cost] : NaN)))}
        : curves.together(entry.fronts[cost].map((front) => curves.read(front, cost, state.level)))]));
      return {entry, read};
    });
    const fastest = Math.max(...readings.map(({read}) => read.qps.value || 0));
    for (const {entry, read} of readings) {
      for (const [cost, cell] of entry.cells) {
        const {value, state: how} = read[cost];
        // A curve that starts above the recall does it at least as well as its first point.
        const bound = how !== "below the sweep" ? "" : curves.COSTS[cost].better > 0 ? "≥ " : "≤ ";
        cell.textContent = value === undefined ? how : bound + chart.shown(cost, Number.isNaN(value) ? null : value);
        cell.classList.toggle("quiet", value === undefined);
        if (cost === "qps") {
          cell.dataset.value = value === undefined ? "" : value;
          cell.dataset.state = how;
          cell.style.setProperty("--share", value ? `${(100 * value) / fastest}%` : "0%");
        }
      }
    }
    readings.sort((one, other) => (other.read.qps.value || 0) - (one.read.qps.value || 0));
    if (!byId("at-recall").contains(document.activeElement)) byId("at-recall").tBodies[0].append(...readings.map(({entry}) => entry.row));
    return [...rows].find(([, entry]) => entry === readings[0].entry)[0];
  }

  // ---- what the reader changes, kept in the address so that a view can be sent on

  function remember() {
    const kept = new URLSearchParams({setting: state.setting, cost: state.cost, scale: state.scale, recall: state.level});
    if (state.dominated) kept.set("dominated", 1);
    if (state.hidden.size) kept.set("hidden", [...state.hidden].join(","));
    history.replaceState(null, "", `#${kept}`);
  }

  function recallState() {
    const kept = new URLSearchParams(location.hash.slice(1));
    const setting = Number(kept.get("setting"));
    if (data.settings[setting]) state.setting = setting;
    if (curves.COSTS[kept.get("cost")]) state.cost = kept.get("cost");
    if (kept.get("scale") === "logit") state.scale = "logit";
    state.dominated = kept.get("dominated") === "1";
    const level = Number(kept.get("recall"));
    if (level > 0 && level <= 1) state.level = level;
    const places = (name) => (kept.get(name) || "").split(",").filter(Boolean).map(Number);
    const only = places("only");
    state.hidden = new Set(only.length ? data.members.map((_, place) => place).filter((place) => !only.includes(place)) : places("hidden"));
  }

  function option(value, text) {
    const made = details.make("option", text);
    made.value = value;
    return made;
  }

  function startSetting() {
    lines = ofSetting();
    state.current = null;
    state.pinned = [];
    showPinned();
    const told = Object.keys(curves.COSTS).filter((cost) => lines.some(({points}) => points.some((point) => point[cost] > 0)));
    if (!told.includes(state.cost)) state.cost = "qps";
    byId("cost").replaceChildren(...told.map((cost) => option(cost, curves.COSTS[cost].title)));
    byId("cost").value = state.cost;
    const recalls = lines.flatMap(({curve}) => curve.points.recall);
    const low = Math.min(0.9, Math.floor(Math.min(...recalls) * 20) / 20);
    byId("level").min = byId("level-number").min = Math.max(low, 0.001);
    setLevel(state.level);
    startTable();
    const best = fillTable();
    const first = lines.find(({curve}) => curve.member === best);
    const front = curves.front([...first.points], "qps");
    choose(first, front.find((point) => point.recall >= state.level) || front.at(-1) || first.points[0]);
  }

  function setLevel(level) {
    state.level = Math.min(Math.max(level, Number(byId("level").min)), 1);
    byId("level").value = state.level;
    byId("level").setAttribute("aria-valuetext", `recall ${state.level.toFixed(3)}`);
  }

  function moveLevel(text) {
    const level = Number(text);
    if (!(level > 0 && level <= 1)) return; // half typed
    setLevel(level);
    fillTable();
    remember();
    chart.moveUpright(byId("chart"), state.level, state.scale);
  }

  function setAll(shown) {
    state.hidden = new Set(shown ? [] : rows.keys());
    for (const {box} of rows.values()) box.checked = shown;
    remember();
    draw();
  }

  function listen() {
    const change = (id, react) => byId(id).addEventListener("change", (event) => { react(event.target); remember(); draw(); });
    change("setting", (select) => { state.setting = Number(select.value); startSetting(); });
    change("cost", (select) => { state.cost = select.value; });
    change("scale", (select) => { state.scale = select.value; });
    change("dominated", (box) => { state.dominated = box.checked; });
    byId("controls").addEventListener("submit", (event) => event.preventDefault());
    byId("level").addEventListener("input", (event) => { moveLevel(event.target.value); byId("level-number").value = state.level; });
    byId("level-number").addEventListener("input", (event) => moveLevel(event.target.value));
    byId("all").addEventListener("click", () => setAll(true));
    byId("none").addEventListener("click", () => setAll(false));
    const element = byId("chart");
    element.on("plotly_hover", (event) => { const hit = under(event); if (hit) choose(...hit); });
    element.on("plotly_click", (event) => { const hit = under(event); if (hit) { choose(...hit); pin(...hit); } });
    element.addEventListener("keydown", (event) => {
      if (event.key.startsWith("Arrow")) walk(event.key);
      else if ((event.key === "Enter" || event.key === " ") && state.current) pin(state.current.line, state.current.point);
      else return;
      event.preventDefault();
    });
    chart.whenRestyled(draw);
  }

  recallState();
  byId("setting").replaceChildren(...data.settings.map((asked, place) => option(place, described(asked))));
  byId("setting").value = state.setting;
  byId("scale").value = state.scale;
  byId("dominated").checked = state.dominated;
  startSetting();
  byId("level-number").value = state.level;
  draw().then(() => { listen(); document.body.dataset.ready = "yes"; });
})();
