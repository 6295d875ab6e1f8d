"""The checks that a study has besides those that it shares with an analysis."""

from __future__ import annotations

import unittest
from typing import Any

from pelplug.errors import InputError, PelplugError
from pelplug.files.results import write_netcdf
from pelplug.tasks.collection import Collection
from pelplug.testing.analyses import require_same
from pelplug.testing.checks import check, require
from pelplug.testing.kit import Kit

__all__: list[str] = []


def _results(cls: Any, kit: Kit) -> list:
    kit.result(cls)
    return [one.dataset for one in Collection(kit.read)]


def _reads(cls: Any) -> bool:
    return bool(cls.uses)


@check("study")
def check_parts_in_processes(cls: Any, kit: Kit) -> None:
    """Parts that other processes compute give what they give in this one."""
    here = kit.result(cls)
    if not here.analyses[cls.name].has_parts:
        raise unittest.SkipTest("it computes no parts (each_part)")
    there = kit.study(cls, kit.read, workers=2).datasets[cls.name]
    require_same(here.datasets[cls.name], there, "one process", "two", attributes=False)


@check("study", when=_reads)
def check_order_of_results(cls: Any, kit: Kit) -> None:
    """The order in which results are given does not matter."""
    results = _results(cls, kit)
    if len(results) < 2:
        raise unittest.SkipTest("there is one result; give several: Kit(results=[...])")
    whole, turned = (kit.study(cls, some).datasets[cls.name] for some in (results, results[::-1]))
    require_same(whole, turned, "one order of the results", "another", tolerance=kit.tolerance, attributes=False)


@check("study", when=_reads)
def check_results_in_files(cls: Any, kit: Kit) -> None:
    """Results that are read from files give what they give as datasets."""
    results, paths = _results(cls, kit), []
    for k, one in enumerate(results):
        paths.append(kit.folder / f"result-{k}.nc")
        write_netcdf(paths[-1], one, overwrite=True)
    whole, read = (kit.study(cls, some).datasets[cls.name] for some in (results, paths))
    require_same(whole, read, "datasets", "files", attributes=False)


@check("study", when=_reads)
def check_leaves_results(cls: Any, kit: Kit) -> None:
    """The results that it reads are left as they are."""
    results = _results(cls, kit)
    before = [one.copy(deep=True) for one in results]
    kit.study(cls, results)
    changed = [k for k, (one, other) in enumerate(zip(before, results, strict=True)) if not one.identical(other)]
    require(not changed, f"it changes the results that it reads: number {', '.join(map(str, changed))}")


@check("study", when=_reads)
def check_refuses_other_results(cls: Any, kit: Kit) -> None:
    """Without results, and with those of an analysis that it does not read, it is refused by an InputError."""
    strangers = [one.assign_attrs(analysis="no-such-analysis") for one in _results(cls, kit)]
    for given, words in (([], "without results"), (strangers, "with results of another analysis")):
        try:
            kit.study(cls, given)
        except InputError:
            continue
        except PelplugError as error:
            raise AssertionError(f"{words} it fails, where it should refuse: {error}") from error
        require(False, f"{words} it runs")
