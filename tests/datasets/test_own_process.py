"""A process of our own imports nothing from where it happens to be started."""

import json
import subprocess

from ivfbench.datasets.own_process import module_command


def test_the_current_folder_is_no_place_to_import_from(dataset_file, tmp_path):
    for wrong in ("json.py", "queue.py", "ivfbench/__init__.py", "ivfbench/datasets/isolated.py"):
        path = tmp_path / "here" / wrong
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("raise SystemExit('this is another one')")
    asked = json.dumps({"path": str(dataset_file()), "name": None, "whole": True})
    done = subprocess.run(
        module_command("datasets.isolated"), cwd=tmp_path / "here", input=asked, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["dimension"] == 5
