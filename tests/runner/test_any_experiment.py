"""Experiment files made of anything at all: each is an experiment, or one line that says why not."""

import string

import yaml
from hypothesis import given
from hypothesis import strategies as st
from ivfbench.algorithms.registry import MEMBERS
from ivfbench.runner.errors import RunError
from ivfbench.runner.experiment import Experiment, parse_experiment

FIELDS = ("type", "clustering", "router", "codec", "lists", "epochs", "scoring", "query", "nprobe", "probing", "recall")
WORDS = st.sampled_from([*Experiment.model_fields, *MEMBERS, *FIELDS, "5%", "-1%"])
NUMBERS = st.one_of(st.integers(), st.floats())
SCALARS = st.one_of(
    st.none(), st.booleans(), NUMBERS, st.dates(), st.binary(max_size=3), WORDS, st.text(string.printable)
)
DATA = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS | SCALARS, inner, max_size=4)),
    max_leaves=12,
)
ALGORITHM = st.fixed_dictionaries(
    {"type": st.sampled_from(["IVF", "Exact"])},
    optional={"clustering": DATA, "router": DATA, "codec": DATA, "query": DATA, "seed": DATA},
)


EXPERIMENTS = st.fixed_dictionaries(
    {"algorithms": st.lists(ALGORITHM, max_size=2)},
    optional={"k": DATA, "seeds": DATA, "datasets": DATA, "variants": DATA},
)


def read(content):
    """The experiment, or what was said instead."""
    try:
        return parse_experiment(content, "some.yml")
    except RunError as error:
        return str(error)


class TestAnyData:
    @given(DATA | EXPERIMENTS)
    def test_an_experiment_or_one_line(self, data):
        found = read(yaml.safe_dump(data))
        if isinstance(found, str):
            assert found.startswith("some.yml: ")
            assert "\n" not in found
        else:
            assert found.algorithms
            assert min(found.k) >= 1
            assert 0 <= min(found.seeds) <= max(found.seeds) < 2**32

    @given(st.text())
    def test_any_text(self, content):
        assert isinstance(read(content), str)
