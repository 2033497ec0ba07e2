"""From texts to a dataset: blocks, going on after a kill, and the file that comes out."""

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from ivfbench.datasets.embed import Embedding, embed
from ivfbench.datasets.encoder import SentenceEncoder, model_label
from ivfbench.datasets.errors import DatasetError
from ivfbench.datasets.query_split import Split
from ivfbench.datasets.reader import read_dataset
from ivfbench.datasets.verify import verify

SCRIPT = Path(__file__).with_name("hashing.py")
WORDS = ["red", "green", "blue", "old", "new", "small", "cat", "dog", "bird", "house", "river", "stone", "light"]


@pytest.fixture(scope="module")
def hashing():
    """The encoder of hashing.py."""
    specification = importlib.util.spec_from_file_location("hashing", SCRIPT)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module.Hashing


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    """150 documents and 90 queries of random words."""
    folder, rng = tmp_path_factory.mktemp("texts"), np.random.default_rng(3)
    with (folder / "corpus.jsonl").open("w") as stream:
        for place in range(150):
            title, *words = rng.choice(WORDS, 9)
            stream.write(json.dumps({"_id": f"d{place}", "title": str(title), "text": " ".join(words)}) + "\n")
    with (folder / "queries.jsonl").open("w") as stream:
        for place in range(90):
            stream.write(json.dumps({"_id": f"q{place}", "text": " ".join(rng.choice(WORDS, 4))}) + "\n")
    return folder


@pytest.fixture
def embedded(texts, hashing, tmp_path):
    """A function embedding these texts into a file of this test's folder."""

    def make(name="out.hdf5", encoder=None, split=None, progress=None, **settings):
        settings = {"block": 16, "model": "hashing", **settings}
        return embed(
            tmp_path / name,
            texts / "corpus.jsonl",
            texts / "queries.jsonl",
            encoder or hashing(),
            Embedding(**settings),
            split or Split(test_count=20),
            progress,
        )

    return make


@pytest.mark.parametrize("metric", ["ip", "euclidean", "angular"])
def test_the_file_is_a_sound_dataset(embedded, hashing, texts, metric):
    told = []
    path = embedded(metric=metric, progress=lambda *at: told.append(at))
    report = verify(path)
    assert (report.vectors, report.queries_checked, report.learn_checked) == (150, 20, 70)
    got = read_dataset(path)
    assert (got.metric, got.neighbors.shape, got.learn_neighbors.shape) == (metric, (20, 100), (70, 10))
    stages = {"encoding test": 20, "encoding learn": 70, "encoding documents": 150, "searching": 90}
    assert list(dict.fromkeys(stage for stage, *_ in told)) == list(stages)
    for stage, count in stages.items():
        first, *_, last = [at for at in told if at[0] == stage]
        assert (first, last) == ((stage, 0, count), (stage, count, count))
    with (texts / "corpus.jsonl").open() as stream:
        first = json.loads(stream.readline())
    np.testing.assert_array_equal(got.train[0], hashing().encode([f"{first['title']} {first['text']}"])[0])
    assert not path.with_name("out.hdf5.parts").exists()


def test_ids_and_origin_are_in_the_file(embedded, texts):
    path = embedded(model=str(texts), normalise=True, metric="normalized")
    with h5py.File(path) as file:
        ids = {key: list(file[key].asstr()) for key in ("train_ids", "test_ids", "learn_ids")}
        assert ids["train_ids"] == [f"d{place}" for place in range(150)]
        assert len(ids["test_ids"]) == 20
        assert set(ids["test_ids"]) | set(ids["learn_ids"]) == {f"q{place}" for place in range(90)}
        assert file.attrs["model"] == texts.name  # a folder's place is nobody's business
        assert file.attrs["normalise"] == "true"
        assert len(file.attrs["corpus_sha256"]) == 64
        np.testing.assert_allclose(np.linalg.norm(file["train"], axis=1), 1, atol=1e-6)
    with h5py.File(embedded("bare.hdf5", ids=False)) as file:
        assert not [key for key in file if key.endswith("_ids")]


def test_the_truth_is_that_of_half_precision(embedded):
    path = embedded(store="float16")
    with h5py.File(path) as file:
        assert {file[key].dtype for key in ("train", "test", "learn")} == {np.dtype("float16")}
    verify(path)


def test_the_size_of_blocks_changes_nothing(embedded):
    one, two = (read_dataset(embedded(f"{block}.hdf5", block=block)) for block in (7, 1000))
    for key in ("train", "test", "learn", "neighbors", "distances", "learn_neighbors"):
        np.testing.assert_array_equal(getattr(one, key), getattr(two, key))


class TestGoingOn:
    def test_after_a_kill_to_the_same_bytes(self, embedded, texts, hashing, tmp_path):
        undisturbed = embedded("undisturbed.hdf5")
        out = tmp_path / "out.hdf5"
        command = [sys.executable, str(SCRIPT), str(out), str(texts)]
        with subprocess.Popen([*command, "0.2"], stdout=subprocess.PIPE, text=True) as child:
            for _ in range(9):  # 2 of test, 5 of learn, 2 of documents
                assert child.stdout.readline() == "a block\n"
            child.kill()
        assert not out.exists()
        blocks = sorted(path.name for path in tmp_path.joinpath("out.hdf5.parts").glob("*.npy"))
        assert "documents-000000.npy" in blocks
        assert "documents-000008.npy" not in blocks
        encoder = hashing()
        embedded(encoder=encoder)
        assert encoder.calls == 17 - len(blocks)
        assert out.read_bytes() == undisturbed.read_bytes()

    def test_when_everything_but_the_search_was_done(self, embedded, hashing, tmp_path):
        class Stop(Exception):  # noqa: N818
            pass

        def stop(stage, done, total):
            if stage == "searching":
                raise Stop

        with pytest.raises(Stop):
            embedded(progress=stop)
        encoder = hashing()
        embedded(encoder=encoder)
        assert encoder.calls == 0

    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            ({"model": "other"}, "was begun with model 'hashing', found 'other'"),
            ({"normalise": True}, "normalise 'as the model gives', found True"),
            ({"store": "float16"}, "store 'float32', found 'float16'"),
            ({"block": 17}, "block 16, found 17"),
            ({"split": Split(test_count=21)}, "learn_sha256 '"),
        ],
    )
    def test_not_with_other_settings(self, embedded, hashing, tmp_path, changed, said):
        self.begin(embedded, hashing)
        with pytest.raises(DatasetError) as caught:
            embedded(**changed)
        assert said in str(caught.value)
        assert str(caught.value).startswith(str(tmp_path / "out.hdf5.parts"))
        assert "\n" not in str(caught.value)
        embedded()

    def test_not_with_another_corpus(self, hashing, texts, tmp_path):
        folder = Path(shutil.copytree(texts, tmp_path / "texts"))
        arguments = (tmp_path / "out.hdf5", folder / "corpus.jsonl", folder / "queries.jsonl")
        with pytest.raises(RuntimeError):
            embed(*arguments, self.failing(hashing), Embedding("hashing", block=16))
        with (folder / "corpus.jsonl").open("a") as stream:
            stream.write('{"_id": "new", "text": "new"}\n')
        with pytest.raises(DatasetError, match="was begun with corpus_sha256"):
            embed(*arguments, hashing(), Embedding("hashing", block=16))

    def failing(self, hashing, after=4):
        class Failing(hashing):
            def encode(self, texts):
                if self.calls == after:
                    raise RuntimeError("out of memory")
                return super().encode(texts)

        return Failing()

    def begin(self, embedded, hashing):
        with pytest.raises(RuntimeError):
            embedded(encoder=self.failing(hashing))

    def test_a_broken_manifest_and_a_foreign_folder(self, embedded, hashing, tmp_path):
        parts = tmp_path / "out.hdf5.parts"
        self.begin(embedded, hashing)
        for content, said in (("{", "cannot be read"), ("[]", "found list, expected an object")):
            (parts / "manifest.json").write_text(content)
            with pytest.raises(DatasetError, match=said):
                embedded()
        (parts / "manifest.json").unlink()
        with pytest.raises(DatasetError, match=r"found no manifest\.json"):
            embedded()

    def test_a_block_that_is_not_what_it_should_be(self, embedded, hashing, tmp_path):
        self.begin(embedded, hashing)
        block = tmp_path / "out.hdf5.parts" / "learn-000000.npy"
        whole = np.load(block)
        for wrong, said in ((whole[1:], "found 15 rows of float32, expected 16"), (whole.astype("f8"), "float64")):
            np.save(block, wrong)
            with pytest.raises(DatasetError, match=said):
                embedded()
        block.write_bytes(b"cut")
        with pytest.raises(DatasetError, match=r"not a readable \.npy"):
            embedded()

    def test_what_others_put_into_the_folder_stays(self, embedded, tmp_path):
        parts = tmp_path / "out.hdf5.parts"
        parts.mkdir()
        (parts / "notes.txt").write_text("mine")
        embedded()
        assert [path.name for path in parts.iterdir()] == ["notes.txt"]


class Odd:
    """An encoder that gives what it was made with."""

    def __init__(self, make):
        self.encode = make


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda texts: np.ones((len(texts) + 1, 4), "f4"), "the model gave shape (17, 4) from test text 0 on"),
        (lambda texts: np.ones(len(texts), "f4"), "the model gave shape (16,)"),
        (lambda texts: np.full((len(texts), 4), np.nan, "f4"), "not finite as float16, 0 after test text 0"),
        (lambda texts: np.full((len(texts), 4), 1e6, "f4"), "not finite as float16"),
        (lambda texts: np.ones((len(texts), len(texts)), "f4"), "test texts from 16 on have 4 dimensions, expected 16"),
    ],
)
def test_encoders_that_give_something_else(embedded, make, said):
    with pytest.raises(DatasetError) as caught:
        embedded(encoder=Odd(make), store="float16")
    assert said in str(caught.value)


def test_what_is_refused_before_anything_is_encoded(embedded, texts, hashing, tmp_path):
    encoder = hashing()
    (tmp_path / "there.hdf5").write_text("")
    with pytest.raises(DatasetError, match=r"there\.hdf5: is there already, expected a new file"):
        embedded("there.hdf5", encoder=encoder)
    (tmp_path / "empty.jsonl").write_text("\n")
    with pytest.raises(DatasetError, match="found no documents"):
        embed(tmp_path / "x.hdf5", tmp_path / "empty.jsonl", texts / "queries.jsonl", encoder, Embedding("m"))
    for settings, said in (
        ({"store": "int8"}, "store: found 'int8'"),
        ({"metric": "x"}, "metric"),
        ({"block": 0}, "block"),
    ):
        with pytest.raises(DatasetError, match=said):
            Embedding("m", **settings)
    assert encoder.calls == 0
    assert not (tmp_path / "x.hdf5.parts").exists()


def test_the_label_of_a_model(tmp_path):
    assert model_label("sentence-transformers/all-MiniLM-L6-v2") == "sentence-transformers/all-MiniLM-L6-v2"
    assert model_label(str(tmp_path)) == tmp_path.name


def test_without_the_library_one_line_says_what_to_install():
    if importlib.util.find_spec("sentence_transformers"):
        pytest.skip("sentence-transformers is installed here")
    with pytest.raises(DatasetError, match=r"pip install 'ivfbench\[text\]'$") as caught:
        SentenceEncoder("all-MiniLM-L6-v2")
    assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory):
    """A folder with a sentence-transformers model of random weights, normalising its vectors."""
    library = pytest.importorskip("sentence_transformers", reason="the extra `text` is not installed here")
    transformers = pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("model")
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    shape = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    settings = transformers.BertConfig(vocab_size=len(vocabulary), max_position_embeddings=64, **shape)
    bert = folder / "bert"
    transformers.BertModel(settings).save_pretrained(bert)
    transformers.BertTokenizer(str(folder / "vocab.txt")).save_pretrained(bert)
    try:
        from sentence_transformers.sentence_transformer import modules as kinds
    except ImportError:  # where it was before
        from sentence_transformers import models as kinds
    modules = [kinds.Transformer(str(bert)), kinds.Pooling(32), kinds.Normalize()]
    library.SentenceTransformer(modules=modules, device="cpu").save(str(folder / "whole"))
    return folder / "whole"


@pytest.mark.filterwarnings("default")  # what that library warns of is not ours
class TestSentenceTransformers:
    def test_a_model_folder(self, embedded, tiny_model):
        encoder = SentenceEncoder(str(tiny_model), batch=8, device="cpu")
        got = read_dataset(embedded(model=str(tiny_model), encoder=encoder))
        assert got.train.shape == (150, 32)
        np.testing.assert_allclose(np.linalg.norm(got.train, axis=1), 1, atol=1e-5)

    def test_raw_leaves_out_the_models_normalisation(self, tiny_model):
        texts = ["red cat", "old stone river"]
        as_given = SentenceEncoder(str(tiny_model), device="cpu").encode(texts)
        raw = SentenceEncoder(str(tiny_model), device="cpu", raw=True).encode(texts)
        lengths = np.linalg.norm(raw, axis=1, keepdims=True)
        assert (np.abs(lengths - 1) > 0.01).all()
        np.testing.assert_allclose(raw / lengths, as_given, atol=1e-5)

    def test_no_such_model(self, tiny_model, tmp_path):
        with pytest.raises(DatasetError, match="cannot be loaded"):
            SentenceEncoder(str(tmp_path / "none"))
