"""Small true datasets, and a real HTTP server that misbehaves on request."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import numpy as np
import pytest


@pytest.fixture
def arrays():
    """A function making consistent arrays: train, test, neighbors, distances, learn, learn_neighbors."""

    def make(metric="euclidean", n=60, d=5, q=8, k=7, m=9, seed=0):
        from ivfbench.datasets.truth import exact_neighbors

        rng = np.random.default_rng(seed)
        train, test, learn = (rng.integers(-9, 10, (rows, d)).astype(np.float32) for rows in (n, q, m))
        neighbors, distances = exact_neighbors(train, test, k, metric)
        learn_neighbors, _ = exact_neighbors(train, learn, min(4, n), metric)
        return {
            "train": train,
            "test": test,
            "neighbors": neighbors,
            "distances": distances,
            "learn": learn,
            "learn_neighbors": learn_neighbors,
        }

    return make


@pytest.fixture
def dataset_file(tmp_path, arrays):
    """A function writing such arrays to a file, as the project writes them."""

    def make(name="small-5-euclidean.hdf5", metric="euclidean", attributes=None, drop=(), **sizes):
        from ivfbench.datasets.write import write_dataset

        held = {key: value for key, value in arrays(metric, **sizes).items() if key not in drop}
        return write_dataset(tmp_path / name, metric=metric, attributes=attributes, **held)

    return make


@pytest.fixture
def server():
    """A local server: set `.body` and the faults, read `.seen` (the headers of every request)."""
    state = SimpleNamespace(body=b"", seen=[], status=200, cuts=[], ranges=True, tag='"one"', length=None)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            state.seen.append(dict(self.headers))
            if state.status != 200:
                self.send_error(state.status)
                return
            start = self.resume_at()
            if start >= len(state.body):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(state.body)}")
                self.end_headers()
                return
            rest = state.body[start:]
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(state.body) - 1}/{len(state.body)}")
            if state.length != "none":
                self.send_header("Content-Length", str(state.length or len(rest)))
            if state.tag:
                self.send_header("ETag", state.tag)
            self.end_headers()
            cut = state.cuts.pop(0) if state.cuts else len(rest)
            self.wfile.write(rest[:cut])

        def resume_at(self):
            asked = self.headers.get("Range")
            same = self.headers.get("If-Range", state.tag) == state.tag
            return int(asked[len("bytes=") : -1]) if asked and state.ranges and same else 0

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        state.url = f"http://127.0.0.1:{http.server_port}/set.hdf5"
        yield state
        http.shutdown()
        thread.join()
