"""What HOOMD-blue's engine says of a table, and of a GPU that is not to be had; without HOOMD-blue."""

import sys
import types
import warnings

import pytest

import pelplug
from pelplug.engines.hoomd.engine import HoomdEngine
from pelplug.engines.hoomd.forces import choose_route
from pelplug.engines.hoomd.view import HoomdView
from pelplug.errors import InputError
from pelplug.testing import states


@pytest.mark.parametrize(("truncation", "jump"), [("shift", 0.0730), ("shifted-force", 0.0)])
def test_the_error_of_a_table_includes_the_jump_at_the_cutoff(truncation, jump):
    """U'(rc) of the Kob-Andersen liquid: 0.039, 0.073 and 0.022 for AA, AB and BB."""
    model = pelplug.model("kob-andersen", truncation=truncation)
    state = model.random_configuration(1000, 1)
    state = states.without_overlaps(state, model.potential(state), 60)
    found = choose_route("table", model.potential(state), HoomdView(state, model), state, "cpu")
    error = found.interpolation_error
    assert error["jump"] == pytest.approx(jump, abs=1e-3)
    assert error["force"] == max(error["jump"], error["inside"]) and 0 < error["inside"] < 3e-3
    assert f"{error['force']:.1e} in the force" in found.text
    assert ("jump at the cutoff" in found.text) == (jump > 0)


class Gpu:
    """HOOMD-blue's module as far as devices are looked for."""

    def __init__(self, usable, reasons=(), broken=False, mpi=False):
        def make(**_):
            if broken:
                raise RuntimeError("CUDA driver version is insufficient")

        make.is_available = lambda: usable
        make.get_unavailable_device_reasons = lambda: list(reasons)
        make.get_available_devices = lambda: ["[0] NVIDIA"] if usable else []
        self.device = types.SimpleNamespace(GPU=make, CPU=lambda **_: "a processor")
        self.version = types.SimpleNamespace(gpu_enabled=True, mpi_enabled=mpi, version="4.8.2")


@pytest.fixture
def with_gpu(monkeypatch):
    def install(*args, **kwargs):
        module = Gpu(*args, **kwargs)
        monkeypatch.setitem(sys.modules, "hoomd", module)
        monkeypatch.setattr("pelplug.engines.hoomd.engine._load", lambda: module)
        return module

    return install


def test_a_gpu_that_auto_cannot_use_is_said(with_gpu):
    with_gpu(False, ["[0] NVIDIA: compute capability 3.5 is too low"])
    with pytest.warns(UserWarning, match="runs on the CPU.*capability 3.5"):
        assert HoomdEngine().kind == "cpu"
    with pytest.raises(InputError, match=r"capability 3.5 is too low"):
        HoomdEngine("gpu")
    with_gpu(False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert HoomdEngine().kind == "cpu"  # there is none: nothing to say
    with pytest.raises(InputError, match="there is none"):
        HoomdEngine("gpu")


def test_a_gpu_that_does_not_start_or_has_no_kernel(with_gpu, monkeypatch):
    with_gpu(True, broken=True)
    monkeypatch.setattr(
        "pelplug.engines.hoomd.engine.HoomdSession", lambda *_, kind, device, **__: f"on {kind}: {device}"
    )
    model, dynamics = pelplug.model("kob-andersen"), pelplug.EquationsOfMotion("nve", 0.001)
    state = model.random_configuration(200, 1)
    state = state.replace(velocities=0.0 * state.positions)
    with pytest.warns(UserWarning, match="not on the GPU: .*driver version is insufficient"):
        assert HoomdEngine().session(state, model, dynamics, seed=1) == "on cpu: a processor"
    with pytest.raises(InputError, match=r"driver version is insufficient.*device cpu"):
        HoomdEngine("gpu").session(state, model, dynamics, seed=1)

    def on(*_, kind, **__):
        if kind == "cuda":
            raise InputError("There is no CUDA kernel for StillingerWeberPotential.")
        return f"on {kind}"

    with_gpu(True)
    monkeypatch.setattr("pelplug.engines.hoomd.engine.HoomdSession", on)
    with pytest.warns(UserWarning, match="not on the GPU: There is no CUDA kernel"):
        assert HoomdEngine().session(state, model, dynamics, seed=1) == "on cpu"


def test_auto_under_mpirun_asks_what_is_meant(with_gpu, monkeypatch):
    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "4")
    with_gpu(False, mpi=True)
    with pytest.raises(InputError, match="4 processes; say --mpi"):
        HoomdEngine()
    assert HoomdEngine("cpu").kind == "cpu"


def test_mpi_was_a_device_and_is_an_option(with_gpu, monkeypatch):
    mpi4py = types.SimpleNamespace(__spec__="found", MPI=types.SimpleNamespace(COMM_WORLD=None))
    monkeypatch.setitem(sys.modules, "mpi4py", mpi4py)
    with_gpu(False, mpi=True)
    assert HoomdEngine(mpi=True).kind == "mpi"
    with pytest.warns(UserWarning, match="now an option of the engine hoomd, --mpi"):
        assert HoomdEngine("mpi").kind == "mpi"
    with pytest.raises(InputError, match="With MPI the engine hoomd runs on CPUs"):
        HoomdEngine("gpu", mpi=True)
    with_gpu(False, mpi=False)
    with pytest.raises(InputError, match="leave --mpi out"):
        HoomdEngine(mpi=True)
    assert HoomdEngine("cpu").kind == "cpu"
