"""Experiment files that must be refused: the content of each, and what is said of it."""

EXACT = "k: 2\nalgorithms: [{type: Exact}]\n"
BOMB = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
MERGES = "a: &a {x: 1}\n" + "".join(
    f"{new}: &{new} {{<<: [{', '.join([f'*{old}'] * 9)}]}}\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
IVF = "k: 2\nalgorithms: [{type: IVF, clustering: {type: KMeans, lists: 3}, "
EXPERIMENTS = {
    "missing": (None, "no such file or shipped experiment"),
    "empty": ("", "found NoneType, expected a mapping with the key `algorithms`"),
    "a list": ("[1, 2]", "found list, expected a mapping"),
    "bytes": (b"\xff\xfe\0\xd8", "cannot be read as text"),
    "half a file": (IVF, "not YAML: "),
    "unknown key": (EXACT + "repetition: 3", "repetition: no such key, the nearest is repetitions"),
    "unknown type": ("algorithms: [{type: Exakt}]", "type: found 'Exakt', expected one of Exact, IVF"),
    "unknown type, near": ("algorithms: [{type: Exakt}]", "did you mean Exact?"),
    "unknown field": (IVF + "clusterin: {type: KMeans}}]", "did you mean clustering?"),
    "unknown field of a part": (IVF + "router: {type: Learnt, epoch: 3}}]", "did you mean epochs?"),
    "unknown query": (IVF + "query: {nprobes: 3}}]", "did you mean nprobe?"),
    "unknown variant": (EXACT + "variants: {pac: 4}", "variants: pac: no such key, the nearest is pca"),
    "k is text": ("k: ten\nalgorithms: [{type: Exact}]", "k.0: found 'ten'"),
    "k is 0": ("k: 0\nalgorithms: [{type: Exact}]", "k.0: found 0"),
    "k is a fraction": ("k: 2.5\nalgorithms: [{type: Exact}]", "k.0: found 2.5"),
    "k above K": ("k: 4\nalgorithms: [{type: Exact}]", "expected at least k = 4"),
    "k of 100 bits": (f"k: {10**30}\nalgorithms: [{{type: Exact}}]", "line 1: found an integer of 100 bits, expected"),
    "mode": (EXACT + "mode: singel", "mode.0: found 'singel'"),
    "algorithms is a mapping": ("algorithms: {type: Exact}", "algorithms: found"),
    "part is a number": (IVF + "router: 3}]", "IVF.router: found 3"),
    "part of another kind": (IVF + "router: {type: Int8}}]", "IVF.router: found Int8()"),
    "field is text": (IVF + "router: {type: Learnt, epochs: many}}]", "Learnt.epochs: found 'many'"),
    "no algorithms": ("algorithms: []", "algorithms: found []"),
    "no k": ("k: []\nalgorithms: [{type: Exact}]", "k: found []"),
    "empty grid": (IVF + "query: {nprobe: []}}]", "query.nprobe: found an empty list, expected at least one"),
    "empty alternatives": (IVF + "router: []}]", "found an empty list of alternatives, expected at least one"),
    "more lists than there are": (IVF + "query: {nprobe: [1, 4]}}]", "query.nprobe: found 4, expected at most the 3"),
    "no lists": (IVF + "query: {nprobe: 0}}]", "nprobe: found 0, expected a positive integer"),
    "repetitions": (EXACT + "repetitions: 1000000000", "repetitions: found 1000000000"),
    "seed": (EXACT + "seeds: 4294967296", "seeds.0: found 4294967296"),
    "number of 5000 digits": ("k: " + "9" * 5000, "not YAML: "),
    "octal of 6000 digits": ("k: 0" + "7" * 6000, "line 1: found an integer of 18000 bits, expected at most 63"),
    "grid of a million": (
        "algorithms:\n- type: IVF\n"
        f"  clustering: {{type: KMeans, lists: {list(range(1, 1001))}}}\n"
        f"  router: {{type: Learnt, epochs: {list(range(1, 1001))}}}\n",
        "algorithms[0]: found a grid of 1,000,000 combinations, expected at most 10,000",
    ),
    "alias bomb": (BOMB, "values with all aliases, expected at most 100,000"),
    "merge bomb": (MERGES, "values with all aliases, expected at most 100,000"),
    "inside itself": ("algorithms: &a [*a]", "line 1: found a value inside itself, expected plain values"),
    "nested deeply": ("algorithms: " + "[" * 60 + "]" * 60, "line 1: found more than 50 levels, expected fewer"),
    "nested very deeply": ("[" * 5000, "not YAML: "),
    "file of 200 kB": (EXACT + "#" * 200_000, "found 200,033 bytes, expected an experiment of at most 100,000"),
    "object tag": ("x: !!python/object/apply:os.mkdir ['made']", "not YAML: "),
    "name tag": ("x: !!python/name:os.system", "not YAML: "),
    "own tag": ("x: !somebody {a: 1}", "not YAML: "),
    "wrong tag": ("x: !!bool maybe", "not YAML: KeyError"),
    "two documents": (EXACT + "---\n" + EXACT, "not YAML: "),
}
