"""The q of a measured ratio: a law whose inverse is known, errors that cover, and what has no q."""

import numpy as np
import pytest
from pelplug_coupled_landscape.matching import match

Q = np.array([0.003, 0.01, 0.03, 0.1, 0.3, 1.0])
C = 12.0


def runs(rng, number=5, noise=0.0):
    """tau_alpha(0)/tau_alpha(q) = 1 + c sqrt q, as runs with relative errors of tau_alpha see it."""
    return (1.0 + C * np.sqrt(Q)) / (1.0 + noise * rng.normal(size=(number, Q.size)))


def test_a_ratio_made_at_a_known_q_gives_it_back():
    for q in (0.0031, 0.02, 0.05, 0.7, 0.999):
        found = match(1.0 + C * np.sqrt(q), 0.01, Q, runs(np.random.default_rng(0), noise=1e-9))
        assert found.q == pytest.approx(q, rel=2e-3)


@pytest.mark.parametrize("noise, ratio_error", [(0.02, 0.0001), (0.0001, 0.2), (0.01, 0.1)])
def test_the_error_of_q_covers_the_truth_as_often_as_one_standard_error_should(noise, ratio_error):
    rng, q = np.random.default_rng(1), 0.02
    truth, inside, pulls = 1.0 + C * np.sqrt(q), [], []
    for _ in range(300):
        found = match(truth + ratio_error * rng.normal(), ratio_error, Q, runs(rng, noise=noise))
        inside.append(abs(found.q - q) < found.error)
        low, high = found.interval
        pulls.append(low < q < high)
    assert 0.61 < np.mean(inside) < 0.76  # 300 draws scatter by 0.027
    assert 0.61 < np.mean(pulls) < 0.76


def test_what_no_q_has_is_said_with_what_can_be_reached():
    curve = runs(np.random.default_rng(0))
    for ratio, words in (
        (0.9, "never slower"),
        (1.2, "add smaller ones with --q"),
        (20.0, "from 1.657 at q = 0.003 to 13 at q = 1; no q of a probability gives more"),
    ):
        found = match(ratio, 0.1, Q, curve)
        assert np.isnan(found.q) and np.isnan(found.error) and words in found.reason
    found = match(9.0, 0.1, Q[:-1], curve[:, :-1])
    assert "add larger ones" in found.reason
    assert "two couplings" in match(2.0, 0.1, Q[:1], curve[:, :1]).reason


def test_an_error_that_statistics_do_not_give_is_not_told():
    curve = runs(np.random.default_rng(0), noise=0.01)
    one_run = match(3.0, 0.1, Q, curve[:1])
    assert np.isfinite(one_run.q) and np.isnan(one_run.error) and "fewer than three" in one_run.reason
    unknown = match(3.0, np.nan, Q, curve)
    assert np.isfinite(unknown.q) and np.isnan(unknown.error) and "--tau-ratio-error" in unknown.reason
    wide = match(3.0, 1.9, Q, curve)  # from hardly any coupling to a strong one
    assert np.isnan(wide.error) and wide.interval[0] == 0.0 and wide.interval[1] > wide.q
