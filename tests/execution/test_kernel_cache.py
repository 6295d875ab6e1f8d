"""Compiled kernels live in the user's cache folder, never in an installation, and no file there can end a run."""

import importlib.util
import os
import subprocess
import sys

import numba
import pytest

import pelplug
from pelplug.execution import kernel_cache

PLAIN = """
import pelplug
from {helper} import FACTOR, square

@pelplug.kernel
def scaled(x):
    return FACTOR * square(x)
"""
HELPER = """
from numba.extending import register_jitable

FACTOR = {factor}

@register_jitable
def square(x):
    return x * x{more}
"""


def load(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Return a function that writes a kernel and its helper, as a later session would find them."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv(kernel_cache._SAID, raising=False)
    # Python's own compiled files go by size and second, in which a test writes a source twice.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def write(factor=2.0, more="", folder="checkout"):
        there = tmp_path / folder
        there.mkdir(exist_ok=True)
        (there / "helper_of_kernel.py").write_text(HELPER.format(factor=factor, more=more))
        (there / "module_of_kernel.py").write_text(PLAIN.format(helper="helper_of_kernel"))
        load("helper_of_kernel", there / "helper_of_kernel.py")
        return load("module_of_kernel", there / "module_of_kernel.py").scaled

    yield write
    for name in ("helper_of_kernel", "module_of_kernel"):
        sys.modules.pop(name, None)


def hits(kernel):
    return sum(kernel.stats.cache_hits.values())


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_kernels_are_found_again(written, tmp_path):
    first, second = written(), written()
    assert first(3.0) == second(3.0) == 18.0
    assert (hits(first), hits(second)) == (0, 1)
    assert [path.suffix for path in files(tmp_path / "cache")] == [".nbc"]
    assert sorted(path.suffix for path in files(tmp_path / "checkout")) == [".py", ".py"]


@pytest.mark.parametrize("change", [{"factor": 5.0}, {"more": " + 1.0"}], ids=["a constant", "a function"])
def test_what_another_file_defines_is_part_of_a_kernel(written, change):
    """numba's own cache looks at the kernel's file alone."""
    assert written()(3.0) == 18.0
    changed = written(**change)
    assert changed(3.0) == (45.0 if "factor" in change else 20.0)
    assert hits(changed) == 0


def test_checkouts_do_not_mix(written):
    assert written(2.0)(3.0) == 18.0
    assert written(7.0, folder="other")(3.0) == 63.0
    again = written(2.0)
    assert again(3.0) == 18.0 and hits(again) == 1


def damage_cut(path):
    path.write_bytes(path.read_bytes()[:-200])


def damage_empty(path):
    path.write_bytes(b"")


def damage_bits(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(bytes(content))


def damage_folder(path):
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("damage", [damage_cut, damage_empty, damage_bits, damage_folder])
def test_a_damaged_file_is_compiled_again(written, tmp_path, damage):
    written()(3.0)
    (path,) = files(tmp_path / "cache")
    damage(path)
    again = written()
    assert again(3.0) == 18.0 and hits(again) == 0
    if path.is_file():  # and mended
        third = written()
        assert third(3.0) == 18.0 and hits(third) == 1


def test_a_place_that_cannot_be_written_is_said_once(written, tmp_path, capfd):
    (tmp_path / "cache").write_text("a file where the folder should be")
    assert written()(3.0) == 18.0
    assert written(3.0)(3.0) == 27.0
    kernel_cache.check_folder()
    message = capfd.readouterr().err
    assert message.count("\n") == 1 and "NUMBA_CACHE_DIR" in message and str(tmp_path / "cache") in message


def test_the_remedy_works(written, tmp_path, monkeypatch, capfd):
    (tmp_path / "cache").write_text("")
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "elsewhere"))
    written()(3.0)
    again = written()
    assert again(3.0) == 18.0 and hits(again) == 1
    assert capfd.readouterr().err == ""


def test_a_user_without_a_home(written, monkeypatch, capfd, tmp_path):
    """Without HOME and without an entry in the list of users, ``~`` stays as it is: no folder of this name is made."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *args, **kwargs: "~/.cache/pelplug")
    monkeypatch.chdir(tmp_path)
    assert kernel_cache.cache_folder() is None
    assert written()(3.0) == 18.0
    assert not (tmp_path / "~").exists()
    assert capfd.readouterr().err.count("NUMBA_CACHE_DIR") == 1


def test_a_full_disk(tmp_path):
    pytest.importorskip("resource")
    script = (
        "import numba, resource\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))\n"
        "from pelplug.landscape.minimise.fire import _step\n"
        "from pelplug.landscape.hessian.kernels import mirror\n"
        "import numpy as np\n"
        "for kind in (np.float64, np.float32):\n"
        "    a = np.tril(np.ones((3, 3), kind)); mirror(0, 3, a); print(a.sum())\n"
    )
    done = run_python("-B", "-c", script, NUMBA_CACHE_DIR=str(tmp_path))
    assert done.stdout.split() == ["9.0", "9.0"]
    assert done.stderr.count("\n") == 1 and "too large" in done.stderr
    assert files(tmp_path) == []


def test_kernels_without_a_name_of_their_own_stay_in_memory(written, tmp_path):
    """Their name may stand for several, which numba would mix up."""
    assert [make_kernel(factor)(1.0) for factor in (2.0, 3.0)] == [2.0, 3.0]
    assert files(tmp_path) == []


def make_kernel(factor):
    @pelplug.kernel
    def inner(x):
        return factor * x

    return inner


def test_names_change_between_versions_and_machines(monkeypatch):
    class Codegen:
        def __init__(self, *magic):
            self.magic = magic

        def magic_tuple(self):
            return self.magic

    from pelplug.landscape.hessian.kernels import mirror

    mirror_cache = kernel_cache.KernelCache(mirror)
    signature = (numba.int64, numba.int64, numba.float64[:, ::1])
    one = mirror_cache._path(signature, Codegen("x86_64", "znver5", "+avx512f"))
    other = mirror_cache._path(signature, Codegen("x86_64", "znver5", "-avx512f"))
    assert one.parent != other.parent and one.parent.parent == other.parent.parent
    monkeypatch.setattr(kernel_cache, "_versions", lambda: ("9.9", "0"))
    later = mirror_cache._path(signature, Codegen("x86_64", "znver5", "+avx512f"))
    assert later.parent.parent != one.parent.parent and later.name != one.name


# --- whole programs ---------------------------------------------------------------------------------------------------


def run_python(*arguments, **environment):
    clean = {k: v for k, v in os.environ.items() if k not in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME", kernel_cache._SAID)}
    environment = {**clean, "MPLCONFIGDIR": os.environ.get("MPLCONFIGDIR", "/tmp"), **environment}
    done = subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done


NOWHERE = """
import pelplug
from pelplug.host.functions import default_registry

def work(value):
    from pelplug.landscape.hessian.kernels import mirror
    import numpy as np
    a = np.tril(np.full((2, 2), value))
    mirror(0, 2, a)
    return float(a.sum())

if __name__ == "__main__":
    print([(record.name, record.error) for record in default_registry().plugins() if record.status != "loaded"])
    with pelplug.WorkerPool(2) as pool:
        print([future.result() for future in pool.submit([(work, 1.0), (work, 2.0), (work, 3.0)])], work(4.0))
"""


def test_without_a_home_every_plugin_loads_and_workers_are_quiet(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(NOWHERE)
    done = run_python(str(program), HOME="/proc/none", PELPLUG_DISABLE_PLUGINS="all", MPLCONFIGDIR=str(tmp_path))
    assert done.stdout.splitlines() == ["[]", "[4.0, 8.0, 12.0] 16.0"]
    assert done.stderr.count("NUMBA_CACHE_DIR") == 1 == done.stderr.count("\n")


PLUGIN = '''
"""Counts."""
import numba
import numpy as np
import pelplug

@numba.njit(cache=True)
def count(values):
    total = 0
    for value in values:
        total += value
    return total

assert count(np.arange(4)) == 6

@pelplug.hookimpl
def pelplug_analyses():
    return []
'''


def test_a_plugin_that_uses_numba_directly_is_kept_out_of_its_installation(tmp_path):
    site, home = tmp_path / "site", tmp_path / "home"
    (site / "pelplug_counting").mkdir(parents=True)
    home.mkdir()
    (site / "pelplug_counting" / "__init__.py").write_text(PLUGIN)
    metadata = site / "pelplug_counting-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: pelplug-counting\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[pelplug]\ncounting = pelplug_counting\n")
    script = (
        "from pelplug.host.functions import default_registry\n"
        "print([(r.status, r.error) for r in default_registry().plugins() if r.name == 'counting'])\n"
        "import numba, sys; sys.path.insert(0, sys.argv[1]); import users_own"
    )
    own = tmp_path / "own"
    own.mkdir()
    (own / "users_own.py").write_text("import numba\n@numba.njit(cache=True)\ndef f(x):\n    return x\nf(1)\n")
    for home_of, wanted in ((home, 1), ("/proc/none", 1)):
        done = run_python("-c", script, str(own), HOME=str(home_of), PYTHONPATH=str(site), PYTHONDONTWRITEBYTECODE="1")
        assert done.stdout.strip() == "[('loaded', None)]"
        assert len(list((home / ".cache" / "pelplug").rglob("pelplug_counting.count-*.nbc"))) == wanted
    assert [path for path in files(site) if path.suffix in (".nbi", ".nbc")] == []
    # What is no plugin's is left to numba.
    assert [path.suffix for path in files(own) if "users_own" in path.name and path.suffix == ".nbi"] == [".nbi"]
