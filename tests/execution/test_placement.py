"""Functions that take a device and threads, and the two as options."""

import inspect

import pytest
from oracles.threads import count_threads

import pelplug
from pelplug.execution.placement import Computing, Placement


@pytest.mark.parametrize("threads", [1, 3])
def test_a_quench_computes_with_the_threads_asked_for(threads, monkeypatch):
    model = pelplug.model("kob-andersen")
    state = model.random_configuration(2100, 1)  # below 2000 one thread does everything
    potential = model.potential(state)
    seen = count_threads(monkeypatch, "pelplug.potentials.pair", threads)
    with pelplug.Device(threads=2):
        result = pelplug.quench(state, potential, "cg", max_evaluations=5, threads=threads)
        assert pelplug.thread_count() == 2
    assert len(seen) >= 4 and set(seen) == {(threads, threads)} and "threads" not in result.parameters


@pytest.mark.parametrize("function", [pelplug.quench, pelplug.swap_monte_carlo, pelplug.analyze])
def test_both_are_in_signature_and_docstring(function):
    parameters = inspect.signature(function).parameters
    assert parameters["device"].default == "auto" and parameters["threads"].default is None
    assert "threads : int or None" in function.__doc__ and "OMP_NUM_THREADS" in function.__doc__


def test_a_gpu_is_refused_where_it_is_asked_for():
    model = pelplug.model("inverse-power-law-2d")
    state = model.random_configuration(40, 1)
    potential = model.potential(state)
    with pytest.raises(pelplug.InputError, match="quench is computed on the CPU only"):
        pelplug.quench(state, potential, device="gpu")
    with pytest.raises(pelplug.InputError, match="Monte Carlo is computed on the CPU only"):
        pelplug.swap_monte_carlo(state, model, 1.0, 1, device="cuda")
    with pelplug.Device("cuda"):  # meant for the simulations of an analysis that quenches too
        assert pelplug.quench(state, potential, force_tolerance=1e-3).converged
    with pytest.raises(pelplug.InputError, match="did you mean sweeps"):
        pelplug.swap_monte_carlo(state, model, 1.0, sweps=1, threads=1)


def test_a_declaration_means_a_device():
    assert Computing(device="gpu", threads="2").used() == pelplug.Device("cuda", 2)
    with pelplug.Device("cuda", 3):
        assert Placement().used() == pelplug.Device("cuda", 3) and Placement(device="cpu").used().kind == "cpu"
    for wrong in ({"threads": 0}, {"threads": "many"}):
        with pytest.raises(pelplug.InputError, match="--threads"):
            Computing(**wrong)
