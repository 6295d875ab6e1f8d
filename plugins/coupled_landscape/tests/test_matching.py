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


@pytest.mark.parametrize(
    "ratio, error, lower, upper, words",
    [
        (3.0, 1.9, None, ((4.9 - 1) / C) ** 2, "q is below 0.10"),  # 1.1 is less than the weakest coupling makes
        (1.2, 1.0, None, ((2.2 - 1) / C) ** 2, "q is below 0.01"),
        (0.9, 1.3, None, ((2.2 - 1) / C) ** 2, "q is below 0.01"),
        (10.8, 8.3, ((2.5 - 1) / C) ** 2, None, "q is above 0.01"),  # 617 +- 474 over 57
        (15.0, 8.0, ((7.0 - 1) / C) ** 2, None, "q is above 0.25"),
        (7.0, 7.0, None, None, "q is not determined: within its error a ratio of 7 +- 7 goes with any of"),
        (15.0, 14.0, None, None, "q is not determined"),
    ],
)
def test_an_error_that_leaves_q_open_leaves_its_interval_open(ratio, error, lower, upper, words):
    found = match(ratio, error, Q, runs(np.random.default_rng(0), noise=1e-9))
    assert np.isnan(found.error) and words in found.reason
    for bound, known in zip(found.interval, (lower, upper), strict=True):
        assert np.isnan(bound) if known is None else bound == pytest.approx(known, rel=0.02)
    assert np.isfinite(found.q) == (1.66 < ratio < 13 and not (lower is None and upper is None))
