"""What is made of intervals whose averages can be written down."""

import numpy as np
import pytest
from pelplug_coupled_landscape.kernels import bin_edges
from pelplug_coupled_landscape.observed import observe


def test_the_integral_of_s_is_that_of_its_unbiased_estimate():
    """One system that relaxes ten times at equal distances g: S(t) = 10 (g - t) / (10 g - t)."""
    g, edges = 1.0625, bin_edges()
    complete, at = np.zeros((2, edges.size, 4)), np.searchsorted(edges, g, side="right") - 1
    complete[:, at] = 9 * g ** np.arange(4)  # the tenth is cut by the end of the run
    observed = observe(
        1, 10 * g, (9, 0, 0, 0), complete, np.full((2, 1), g), np.ones((4, 4)), np.linspace(-2.0, 2.0, 5), edges
    )
    t = observed.lag_times
    assert observed.persistence[t <= g] == pytest.approx((10 * (g - t) / (10 * g - t))[t <= g], rel=1e-12)
    assert not observed.persistence[t > g].any()
    exact = 10 * (g - 9 * g * np.log(10.0 / 9.0))
    assert observed.relaxation_time == pytest.approx(exact, rel=3e-4)
    assert observed.waiting_moments == pytest.approx([g, g**2, g**3], rel=1e-12)
    assert observed.effective_intervals == pytest.approx(10.0, rel=0.06)


def test_a_run_without_events_has_no_averages():
    edges = bin_edges()
    observed = observe(
        2, 8.0, (0, 0, 0, 0), np.zeros((2, edges.size, 4)), np.full((2, 2), 8.0), np.ones((4, 4)), np.arange(5.0), edges
    )
    assert np.isinf(observed.mean_waiting_time) and observed.diffusivity == 0.0
    assert np.isnan(observed.relaxation_time) and np.isnan(observed.waiting_moments).all()
    assert observed.persistence == pytest.approx(1.0)
