"""Ten groups of twenty liquids scatter as their stated errors say, and single liquids lie within theirs."""

from __future__ import annotations

import os
import pathlib

import numpy as np
import pytest
from validation.stated_errors import judged, liquids, table
from validation.stated_errors.exceptions import EXCEPTIONS

pytestmark = [
    pytest.mark.validation,
    pytest.mark.skipif(
        "PELPLUG_VALIDATION_FOLDER" not in os.environ, reason="name a folder for the runs, PELPLUG_VALIDATION_FOLDER"
    ),
]
TABLE = os.environ.get("PELPLUG_COVERAGE_TABLE")


@pytest.fixture(scope="module")
def paths():
    return liquids.runs()


@pytest.fixture(scope="module")
def groups(paths):
    return [liquids.analysed(list(one)) for one in np.array_split(paths, liquids.GROUPS)]


def test_runs_are_in_equilibrium(paths):
    first, second = liquids.energies(paths).T
    difference = first - second
    error = difference.std(ddof=1) / len(difference) ** 0.5
    print(f"\nmean energy of the first half less that of the second: {difference.mean():.3f} +- {error:.3f}")
    assert abs(difference.mean()) < 3.0 * error


def test_groups_scatter_as_their_errors_say(groups):
    found = {kind: liquids.ratios(groups, kind) for kind in ("all", "A", "B")}
    for kind, rows in found.items():
        for name, row in rows.items():
            print(f"  {kind:4s}{name:24s} {row['mean']:.5g} +- {row['error']:.3g}, ratio {row['ratio']:.2f}")
    if TABLE:
        table.update(pathlib.Path(TABLE), "liquids-together", {"analysis": "liquids-together", "kinds": found})
    asked = {name: row for name, row in found["all"].items() if row["asked"]}
    assert set(asked) == set(liquids.ASKED)
    assert not [name for name, row in asked.items() if row["unstated"]]
    low, high = liquids.RATIO
    assert not {name: row["ratio"] for name, row in asked.items() if not low < row["ratio"] < high}


def test_single_runs_lie_within_their_errors(paths):
    together = liquids.analysed(paths)
    each = [liquids.analysed([path]) for path in paths[: liquids.ALONE]]
    rows = judged.rows(liquids.alone(each, together))
    exceptions = EXCEPTIONS.get("liquids-alone", {})
    for name, row in rows.items():
        print(f"  {name:24s} {row.share:.3f} of [{row.low:.3f}, {row.high:.3f}], none stated {row.unstated}")
    if TABLE:
        law = f"{liquids.WORDS}, one by one; the truth is what all {liquids.RUNS} say together"
        entry = {"analysis": "liquids-alone", "law": law, "sets": liquids.ALONE, "seed": liquids.SEED}
        quantities = table.plain_rows(rows, exceptions)
        table.update(pathlib.Path(TABLE), "liquids-alone", entry | {"quantities": quantities})
    out = {name for name, row in rows.items() if row.unstated < row.sets and not row.holds}
    assert out == set(exceptions)
