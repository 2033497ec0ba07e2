"""Nothing that is read can bring code along: no pickle, no eval, safe loaders only, in the whole package."""

import ast
from pathlib import Path

import ivfbench
import pytest

ROOT = Path(ivfbench.__file__).parent
ROOMS = ("algorithms", "datasets", "results", "runner", "plots")
SOURCES = [*ROOT.glob("*.py"), *(path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")))]
MODULES = {"pickle", "cPickle", "_pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "jsonpickle"}
BUILTINS = {"eval", "exec", "compile", "__import__"}
YAML = {"safe_load", "SafeLoader", "safe_dump", "YAMLError", "Node", "MappingNode", "SequenceNode", "ScalarNode"}
MUST = {("np", "load"): ("allow_pickle", False), ("torch", "load"): ("weights_only", True)}


def _literal(call, name):
    return next((getattr(word.value, "value", ...) for word in call.keywords if word.arg == name), None)


def findings(text):
    """What in a source could turn data into code, each as `line: what`."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            found += [(node, name) for name in names if name.partition(".")[0] in MODULES]
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            place = (node.value.id, node.attr)
            if place[0] == "yaml" and place[1] not in YAML:
                found.append((node, "yaml." + place[1]))
            if place in (("os", "system"), ("os", "popen"), ("builtins", "eval"), ("builtins", "exec")):
                found.append((node, ".".join(place)))
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Name) and node.func.id in BUILTINS:
            found.append((node, node.func.id))
        if _literal(node, "allow_pickle") not in (None, False):
            found.append((node, "allow_pickle"))
        if _literal(node, "shell") not in (None, False):
            found.append((node, "shell"))
        if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
            name, needed = MUST.get((node.func.value.id, node.func.attr), (None, None))
            if name and _literal(node, name) is not needed:
                found.append((node, f"{node.func.value.id}.{node.func.attr} without {name}={needed}"))
    return [f"{node.lineno}: {what}" for node, what in found]


def test_the_package():
    assert len(SOURCES) > 100
    assert {str(path): findings(path.read_text()) for path in SOURCES if findings(path.read_text())} == {}


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("import pickle", "pickle"),
        ("from joblib import load", "joblib"),
        ("eval('1')", "eval"),
        ("exec(text)", "exec"),
        ("np.load(path)", "np.load without allow_pickle=False"),
        ("np.load(path, allow_pickle=True)", "allow_pickle"),
        ("np.load(path, allow_pickle=told)", "allow_pickle"),
        ("yaml.load(text)", "yaml.load"),
        ("yaml.load(text, Loader=yaml.Loader)", "yaml.Loader"),
        ("torch.load(path)", "torch.load without weights_only=True"),
        ("subprocess.run(text, shell=True)", "shell"),
        ("os.system(text)", "os.system"),
    ],
)
def test_each_is_found(source, what):
    assert f"1: {what}" in findings(source)


def test_what_is_allowed():
    assert findings("model.eval()\nre.compile('x')\nnp.load(path, allow_pickle=False)\nyaml.safe_load(text)") == []
