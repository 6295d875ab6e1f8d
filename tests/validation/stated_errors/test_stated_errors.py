"""Stated errors hold as often as they say; see the package's docstring for how to run this."""

from __future__ import annotations

import functools
import itertools
import os
import pathlib

import numpy as np
import pytest
from validation.stated_errors import judged, table
from validation.stated_errors.exceptions import EXCEPTIONS

SETS = int(os.environ.get("PELPLUG_COVERAGE_SETS") or 0) or None
SCALE = float(os.environ.get("PELPLUG_COVERAGE_SCALE") or 1.0)
TABLE = os.environ.get("PELPLUG_COVERAGE_TABLE")
BY_NAME = {one.name: one for one in table.SUBJECTS}


@functools.cache
def found(name: str) -> dict[str, judged.Row]:
    """Draw a subject, print its rows, and write them into the table that was asked for."""
    subject = BY_NAME[name]
    rows = judged.rows(judged.draws(subject, SETS), SCALE)
    print(f"\n{name}")
    for quantity, row in rows.items():
        print(
            f"  {quantity:32s} {row.share:.3f} of [{row.low:.3f}, {row.high:.3f}], scatter {row.scatter:.2f}, "
            f"bias {row.bias:+.2f}, none stated {row.unstated} of {row.sets}"
        )
    if TABLE and SETS is None and SCALE == 1.0:
        table.update(pathlib.Path(TABLE), name, table.entry_of(subject, rows, EXCEPTIONS.get(name, {})))
    return rows


def every_quantity():
    for subject in table.SUBJECTS:
        for quantity in subject.quantities:
            reason = EXCEPTIONS.get(subject.name, {}).get(quantity)
            marks = [pytest.mark.xfail(reason=reason, strict=True)] if reason and SETS is None else []
            yield pytest.param(subject.name, quantity, id=f"{subject.name}-{quantity}", marks=marks)


@pytest.mark.validation
@pytest.mark.parametrize(("name", "quantity"), list(every_quantity()))
def test_errors_hold_as_often_as_they_say(name, quantity):
    row = found(name)[quantity]
    if SETS is not None:
        pytest.skip("with PELPLUG_COVERAGE_SETS nothing is judged")
    assert row.holds, f"{row.share:.3f} outside of {row.low:.3f} to {row.high:.3f}"


@pytest.mark.validation
def test_pooled_over_quantities():
    if SETS is not None:
        pytest.skip("with PELPLUG_COVERAGE_SETS nothing is judged")
    entries = {one.name: table.entry_of(one, found(one.name), {}) for one in table.SUBJECTS}
    share, number, holds = table.pooled(entries)
    print(f"\npooled: {share:.4f} of {number}")
    assert holds


# --- what is quick -------------------------------------------------------------------------------------------------


def test_half_an_error_falls_out_of_its_band():
    stated = judged.draws(BY_NAME["propensity-spearman"])
    assert judged.rows(stated)["spearman_mean"].holds
    for scale in (0.5, 2.0):
        assert not judged.rows(stated, scale)["spearman_mean"].holds


def test_half_an_interval_falls_out_of_its_band():
    stated = judged.draws(BY_NAME["kappa-20-structures"], 150)
    assert judged.rows(stated)["shear_modulus_mean 90 %"].holds
    assert not judged.rows(stated, 0.5)["shear_modulus_mean 90 %"].holds


def test_band_and_columns_of_errors_that_are_right():
    low, high = judged.band(400, judged.ONE_SIGMA)
    assert low == pytest.approx(0.683 - 3.29 * (0.683 * 0.317 / 400) ** 0.5, abs=0.01)
    assert high == pytest.approx(0.683 + 3.29 * (0.683 * 0.317 / 400) ** 0.5, abs=0.01)
    rng = np.random.default_rng(0)
    row = judged.judge([judged.error(5.0 + 2.0 * rng.normal(), 2.0, 5.0) for _ in range(4000)])
    assert row.holds and row.scatter == pytest.approx(1.0, abs=0.04) and row.bias == pytest.approx(0.0, abs=0.06)
    row = judged.judge([judged.error(6.0, 2.0, 5.0), judged.error(1.0, np.nan, 5.0)])
    assert (row.sets, row.unstated, row.share, row.bias) == (2, 1, 1.0, 0.5)


def test_seeds_are_not_used_twice():
    ranges = sorted((one.seed, one.seed + one.sets) for one in table.SUBJECTS)
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(ranges))


def test_the_table_of_the_documentation_is_whole():
    written = table.read()
    for subject in table.SUBJECTS:
        entry = written[subject.name]
        assert set(entry["quantities"]) == set(subject.quantities) and entry["sets"] == subject.sets
        for quantity, row in entry["quantities"].items():
            assert row["holds"] or row["exception"], f"{subject.name}: {quantity}"
            assert row["exception"] == EXCEPTIONS.get(subject.name, {}).get(quantity, "")
    assert table.pooled({one.name: written[one.name] for one in table.SUBJECTS})[2]
