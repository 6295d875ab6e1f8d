"""`benchmarks/gpu.py` where there is no GPU: by numba's CUDA simulator, with nothing else of pelplug installed."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

from pelplug.potentials.forms import FORMS

SCRIPT = pathlib.Path(__file__).parent.parent / "benchmarks" / "gpu.py"
# numpy, scipy, numba, numba-cuda and what these are made of; anything else is missing there.
ALONE = """
import sys
needed = ("numpy", "scipy", "numba", "numba_cuda", "llvmlite", "cuda", "yaml", "tbb", "mkl")
class Absent:
    def find_spec(self, name, path=None, target=None):
        first = name.split(".")[0]
        if first not in sys.stdlib_module_names and first not in needed and not first.startswith("_"):
            raise ModuleNotFoundError(f"No module named {first!r}", name=first)
sys.meta_path.insert(0, Absent())
import runpy
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def run(tmp_path, *arguments, simulated="1"):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment["NUMBA_ENABLE_CUDASIM"] = simulated
    command = [sys.executable, "-c", ALONE, str(SCRIPT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path)


def test_every_kernel_agrees_with_plain_numpy(tmp_path):
    done = run(tmp_path, "-o", "gpu.json")
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((tmp_path / "gpu.json").read_text())
    kernels = report["kernels"]
    assert report["agree"] and len(kernels) == 18
    assert {name.split(",")[0] for name in kernels} == set(FORMS)
    for name, found in kernels.items():
        least = 1e-13 if name.endswith("float64") else 1e-5
        assert max(found["force_difference_numpy"], found["energy_difference_numpy"]) < least, name
        assert found["pairs"] > found["n"]


def test_the_cpu_beside_it_and_the_times(tmp_path):
    done = run(tmp_path, "--only", "soft-spheres-12", "--cpu", "--repeats", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout[done.stdout.index("\n{") :])
    for found in report["kernels"].values():
        assert found["force_difference_cpu"] < 1e-13 and found["ratio"] > 0


def test_without_a_gpu_it_says_so_in_one_sentence(tmp_path):
    from numba import cuda

    if cuda.is_available():
        pytest.skip("there is a GPU here")
    done = run(tmp_path, simulated="0")
    assert done.returncode == 2 and not done.stdout
    assert len(done.stderr.splitlines()) == 1 and "NUMBA_ENABLE_CUDASIM=1" in done.stderr
