"""The report in a real browser: headless Chromium opens it from the disk, moves what can be moved, and reads it."""

import dataclasses
import shutil

import pytest
from ivfbench.plots.site.write import write_site
from ivfbench.results.at_recall import BELOW, REACHED, front
from ivfbench.results.comparison import comparison
from ivfbench.results.table import table

NEEDED = "is not installed: pip install 'ivfbench[test]'"
playwright = pytest.importorskip("playwright.sync_api", reason=f"playwright {NEEDED}")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason=f"axe-playwright-python {NEEDED}")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
if CHROMIUM is None:
    pytest.skip("no chromium on the path (Debian: apt-get install chromium)", allow_module_level=True)

HOSTILE = "<script>window.ran = 1</script><img src=x onerror='window.ran = 1'>"
DATASET = "dataset-sample-64-euclidean.html"
SLOW = 60_000  # milliseconds: other processes may keep a browser waiting


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as running:
        started = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def show(browser, tmp_path):
    """A function that writes the report of some runs and opens a page of it; the console must stay silent.

    Without runs it opens another page of the same report.
    """
    contexts, problems = [], []

    def opened(runs, name, **settings):
        if runs is not None:
            write_site(runs, tmp_path)
        contexts.append(browser.new_context(**settings))
        page = contexts[-1].new_page()
        page.set_default_timeout(SLOW)
        page.on("console", lambda said: problems.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda asked: problems.append(asked.url) if asked.url.startswith("http") else None)
        file, sign, view = name.partition("#")
        page.goto((tmp_path / file).as_uri() + sign + view)
        if file.startswith("dataset-"):
            page.wait_for_selector("body[data-ready]")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert problems == []


def shown_rates(page):
    """What the table of the page says: [value, state] by label."""
    read = """(rows) => rows.map((row) => {
        const cell = row.querySelector("td");
        return [row.querySelector("label span").textContent, [cell.dataset.value, cell.dataset.state]];
    })"""
    return dict(page.locator("#at-recall tbody tr").evaluate_all(read))


@pytest.mark.parametrize("seeds", [(7,), (7, 8, 9)])
def test_the_slider_reads_the_table(show, sample_runs, seeds):
    runs = [run for seed in seeds for run in sample_runs(seed=seed, modes=("single",))]
    page = show(runs, f"{DATASET}#scale=logit&recall=0.8")
    assert page.locator("#level-shown").inner_text() == "0.800"
    frame = table(runs)
    fastest = front(frame).groupby("algorithm")["qps"].max()
    lowest = float(page.locator("#level").get_attribute("min"))
    states = set()
    for level in (lowest, 0.5, 0.9, 0.975, 1.0):
        page.locator("#level-number").fill(str(level))
        assert float(page.locator("#level").input_value()) == pytest.approx(level)
        found = shown_rates(page)
        for row in comparison(frame, (level,)).to_dict("records"):
            centroid = "Centroid" in row["algorithm"]
            value, state = found["IVF centroid (normalised)" if centroid else "IVF learnt (epochs=50)"]
            states.add(state)
            assert state == row["qps_state"]
            if state == REACHED:
                assert float(value) == pytest.approx(row["qps"], rel=1e-5)
            elif state == BELOW and len(seeds) == 1:
                assert float(value) == pytest.approx(fastest[row["algorithm"]], rel=1e-5)
    assert {REACHED, BELOW} <= states
    # The slider itself, by keyboard, and what follows it.
    page.locator("#level").focus()
    page.keyboard.press("ArrowLeft")
    assert page.locator("#level-shown").inner_text() == "0.999"
    assert page.locator("#level-number").input_value() == "0.999"
    assert "recall=0.999" in page.url


def test_algorithms_are_toggled_axes_and_ways_of_asking_switched(show, sample_runs):
    page = show(sample_runs(), DATASET)

    def lines():
        return page.evaluate("document.getElementById('chart').data.map((trace) => trace.mode)").count("lines+markers")

    assert lines() == 2
    page.get_by_label("IVF learnt (epochs=50)").uncheck()
    assert lines() == 1
    page.reload()
    page.wait_for_selector("body[data-ready]")
    assert lines() == 1  # the address keeps the view
    page.get_by_role("button", name="Show all").click()
    assert lines() == 2
    assert show(None, f"{DATASET}#only=1").locator("#at-recall input:checked").count() == 1
    page.locator("#at-recall tbody tr").first.hover()  # its curves stand out
    assert page.evaluate("document.getElementById('chart').data.map((trace) => trace.opacity)")[:2] in (
        [1, 0.1],
        [0.1, 1],
    )
    costs = page.locator("#cost option")
    values = "(all) => all.map((one) => one.value)"
    assert "latency_p50_ms" not in costs.evaluate_all(values)  # a batch has none
    page.locator("#setting").select_option(label="k = 10, one query per call, 1 thread")
    assert {"qps", "latency_p99_ms", "points_scanned", "lists_probed", "build_total"} < set(costs.evaluate_all(values))
    page.locator("#scale").select_option("logit")
    for cost in costs.evaluate_all(values):
        page.locator("#cost").select_option(cost)
        title = page.evaluate("document.getElementById('chart').layout.yaxis.title.text")
        assert title == page.locator(f"#cost option[value={cost}]").inner_text()
        assert page.evaluate("document.getElementById('chart').data[0].y.every((value) => value > 0)")
    page.locator("#cost").select_option("qps")
    page.locator("#dominated").check()
    assert page.evaluate("document.getElementById('chart').data.length") == 5


def test_points_tell_everything_and_are_pinned_by_keyboard_and_by_mouse(show, sample_runs):
    page = show(sample_runs(modes=("single",)), DATASET, viewport={"width": 1200, "height": 900})
    page.locator("#chart").focus()
    for key in ("ArrowUp", "ArrowLeft", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    told = page.locator("#point").inner_text()
    for word in ("nprobe", "recall", "queries per second", "points scanned", "clustering.lists", "learning (s)"):
        assert word in told
    page.keyboard.press("Enter")
    assert page.locator("#pinned .details").count() == 1
    place = page.evaluate("""() => {
        const drawn = document.getElementById('chart'), box = drawn.getBoundingClientRect();
        const {xaxis, yaxis} = drawn._fullLayout, trace = drawn.data[0];
        return [box.left + xaxis._offset + xaxis.d2p(trace.x[1]), box.top + yaxis._offset + yaxis.d2p(trace.y[1])];
    }""")
    page.mouse.move(*place)
    page.wait_for_timeout(200)
    page.mouse.click(*place)
    page.locator("#pinned .details").nth(1).wait_for()
    page.get_by_role("button", name="Unpin point 1").click()
    assert page.locator("#pinned h3").inner_text().startswith("2. ")


def test_results_never_run(show, sample_runs):
    run = dataclasses.replace(sample_runs(modes=("single",))[0], algorithm=HOSTILE, parameters={HOSTILE: HOSTILE})
    for name, runs in ((DATASET, [run]), ("index.html", None), ("algorithms.html", None)):
        page = show(runs, name)
        if name == DATASET:
            page.locator("#chart").focus()
            page.keyboard.press("ArrowRight")
            page.keyboard.press("Enter")
            assert HOSTILE in page.locator("#pinned").inner_text()
        assert page.evaluate("window.ran === undefined")
        assert page.locator("img").count() == 0


EVERY = (DATASET, "index.html", "algorithms.html", "routing.html", "failures.html", "environment.html")


@pytest.mark.parametrize(("scheme", "names"), [("light", EVERY), ("dark", EVERY[:2])])
def test_a_phone_shows_it_all_and_nobody_is_shut_out(show, sample_runs, scheme, names):
    lost = dataclasses.replace(sample_runs(dataset="lost")[0], status="failed", message="no memory", points=())
    runs = [*sample_runs(routing=scheme == "light"), lost]
    for name in names:
        page = show(runs, name, color_scheme=scheme, viewport={"width": 390, "height": 800})
        runs = None
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, name
        found = axe.Axe().run(page, options={"preload": False}).response["violations"]
        serious = [one["id"] + one["nodes"][0]["html"] for one in found if one["impact"] in ("serious", "critical")]
        assert serious == [], name


def test_poor_results_open_too(show, sample_runs):
    run = sample_runs(modes=("single",))[0]
    perfect = run.points[-1]
    for points in (run.points[:1], (perfect, dataclasses.replace(perfect, query_parameters={"nprobe": 0}))):
        page = show([dataclasses.replace(run, points=points)], DATASET)
        for cost in ("qps", "points_scanned", "index_bytes"):
            page.locator("#cost").select_option(cost)
        assert page.locator("#at-recall tbody tr").count() == 1


def test_a_page_reloads_when_its_results_have_changed(show, sample_runs, tmp_path):
    write_site(sample_runs(modes=("single",))[:1], tmp_path, version="a1")
    page = show(None, f"{DATASET}#recall=0.7")
    assert page.locator("#at-recall tbody tr").count() == 1
    write_site(sample_runs(modes=("single",)), tmp_path, version="b2")
    page.locator("#at-recall tbody tr").nth(1).wait_for()
    assert page.locator("#level-number").input_value() == "0.7"
