"""Named checks: each is one rule of what a hook takes, one pytest item, and one line of ``pelplug plugins check``.

A check is a function of the thing and of a `Kit`, which has what to run it on; its docstring states the rule::

    @check("potential", when=lambda potential: potential.can(Capability.HESSIAN))
    def check_hessian_is_derivative(potential, kit):
        \"\"\"The Hessian is the derivative of the forces, by differences.\"\"\"
        require(error < 1e-6, f"the Hessian differs from the differences of the forces by {error:.1e}")

It raises AssertionError with one sentence that says what is wrong, or unittest.SkipTest with the reason why it does not
apply after all. One function may hold for several kinds; a name is used once.
"""

from __future__ import annotations

import dataclasses
import importlib
import sys
import unittest
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pelplug.core.parameters import closest
from pelplug.errors import InputError
from pelplug.host.checks import analysis_class
from pelplug.testing.kit import Kit, kit_for

__all__ = ["KINDS", "Check", "CheckResult", "check", "checks_of", "parametrize_with_checks", "require", "run_checks"]

# What a hook takes, and the class it derives from. A thing of that class has had its module imported, so that the kind
# is found without importing anything.
KINDS = {
    "analysis": ("pelplug.tasks.analysis", "Analysis"),
    "study": ("pelplug.tasks.study", "Study"),
    "model": ("pelplug.models.base", "Model"),
    "form": ("pelplug.potentials.form", "Form"),
    "potential": ("pelplug.potentials.base", "Potential"),
    "provider": ("pelplug.potentials.provider", "Provider"),
    "engine": ("pelplug.engines.engine", "Engine"),
    "exporter": ("", ""),
    "reader": ("pelplug.trajectories.readers.reader", "Reader"),
}
# Where checks are, in the order in which they run.
_MODULES = (
    "analyses",
    "invariances",
    "several",
    "studies",
    "models",
    "forms",
    "potentials",
    "potential_symmetries",
    "potential_declarations",
    "providers",
    "engines",
    "engine_runs",
    "exporters",
    "readers",
)

_registered: dict[str, Check] = {}


@dataclasses.dataclass(frozen=True)
class Check:
    """One rule.

    Attributes
    ----------
    kinds : tuple of str
        What it is a rule for.
    function : callable
        ``check_<rule>(thing, kit)``.
    when : callable or None
        Whether it applies to a thing: ``when(thing)``.
    """

    kinds: tuple[str, ...]
    function: Callable[[Any, Kit], None]
    when: Callable[[Any], bool] | None = None

    @property
    def name(self) -> str:
        """Name of the function."""
        return self.function.__name__

    @property
    def rule(self) -> str:
        """The rule in one line."""
        return (self.function.__doc__ or "").strip().partition("\n")[0]

    def applies(self, thing: Any) -> bool:
        """Whether a thing is one that the rule is for; one that cannot even be asked is."""
        try:
            return self.when is None or bool(self.when(thing))
        except Exception:
            return True

    def __call__(self, thing: Any, kit: Kit) -> None:
        """Check a thing; whatever goes wrong is an AssertionError with a sentence."""
        try:
            self.function(thing, kit)
        except (AssertionError, unittest.SkipTest):
            raise
        except Exception as error:
            raise AssertionError(f"{type(error).__name__}: {' '.join(str(error).split())}") from error


def check(*kinds: str, when: Callable[[Any], bool] | None = None):
    """Make a function ``check_<rule>(thing, kit)`` a check of one kind or several.

    Parameters
    ----------
    *kinds : str
        Of `KINDS`.
    when : callable, optional
        ``when(thing)``: whether it applies, by what the thing declares.
    """

    def register(function):
        made = Check(kinds, function, when)
        unknown = set(kinds) - set(KINDS)
        if unknown or not made.rule or not made.name.startswith("check_"):
            raise TypeError(f"{function!r} is no check: it needs a kind of {', '.join(KINDS)}, a name and a docstring")
        if _registered.get(made.name, made).function.__module__ != function.__module__:
            raise TypeError(f"there is a check {made.name} already")
        _registered[made.name] = made
        return function

    return register


def require(condition: Any, sentence: str) -> None:
    """Raise AssertionError with a sentence unless a condition holds."""
    if not condition:
        raise AssertionError(sentence)


def every_check() -> dict[str, Check]:
    """Return all checks by name."""
    for module in _MODULES:
        if importlib.util.find_spec(f"pelplug.testing.{module}") is not None:
            importlib.import_module(f"pelplug.testing.{module}")
    return dict(_registered)


def every_check_of(kind: str) -> list[Check]:
    """Return the checks of a kind that have been made so far."""
    return [one for one in _registered.values() if kind in one.kinds]


def kind_of(thing: Any) -> str:
    """Return which of `KINDS` a thing is; raise TypeError if none."""
    for kind, (home, name) in KINDS.items():
        base = getattr(sys.modules.get(home), name, None)
        if base is not None and (issubclass(thing, base) if isinstance(thing, type) else isinstance(thing, base)):
            return kind
    if hasattr(thing, "export") and hasattr(thing, "suffixes"):
        return "exporter"
    raise TypeError(f"{thing!r} is none of {', '.join(KINDS)}; derive it from the class of its kind, or pass kind=")


def checks_of(thing: Any, kind: str | None = None) -> list[Check]:
    """Return the checks that apply to a thing, by its kind and by what it declares.

    Parameters
    ----------
    thing : object
        What a hook takes: a class of analyses or a function under `pelplug.analysis`, a potential, an exporter ...
    kind : str, optional
        Which of `KINDS` it is; found out by default.
    """
    thing = analysis_class(thing)
    kind = kind or kind_of(thing)
    return [one for one in every_check().values() if kind in one.kinds and one.applies(thing)]


def called(thing: Any) -> str:
    """Return what a thing is called in the names of tests."""
    own = getattr(thing, "name", None)
    return own if isinstance(own, str) and own else getattr(thing, "__name__", type(thing).__name__)


@dataclasses.dataclass(frozen=True)
class CheckResult:
    """What came of one check.

    Attributes
    ----------
    check : Check
    outcome : {"passed", "failed", "skipped", "expected", "unexpected"}
        "expected" if it failed as expected, "unexpected" if it passed where a failure was expected.
    sentence : str
        What is wrong, or why it was skipped or expected.
    """

    check: Check
    outcome: str
    sentence: str = ""

    @property
    def is_failure(self) -> bool:
        """Whether something is wrong."""
        return self.outcome in ("failed", "unexpected")


def run_checks(
    thing: Any, *, kit: Kit | None = None, expected_failures: Mapping[str, str] | None = None, kind: str | None = None
) -> Iterable[CheckResult]:
    """Check a thing without pytest; yield what came of each check.

    Parameters
    ----------
    thing : object
        As in `checks_of`.
    kit : Kit, optional
        What to run it on; what the thing declares in `trial`, else the default.
    expected_failures : mapping, optional
        Reasons by the name of the check, besides those of the kit. One that passes is a failure.
    kind : str, optional
        As in `checks_of`.
    """
    thing = analysis_class(thing)
    kit = kit_for(thing, kit)
    chosen = checks_of(thing, kind)
    expected = _expected(thing, chosen, {**kit.expected_failures, **(expected_failures or {})})
    for one in chosen:
        reason = expected.get(one.name)
        try:
            one(thing, kit)
        except unittest.SkipTest as why:
            yield CheckResult(one, "skipped", str(why))
        except AssertionError as error:
            yield CheckResult(one, "expected" if reason else "failed", reason or str(error))
        else:
            said = f"it passes, though it was expected to fail: {reason}" if reason else ""
            yield CheckResult(one, "unexpected" if reason else "passed", said)


def parametrize_with_checks(
    things: Iterable[Any],
    expected_failures: Mapping[str, str] | None = None,
    *,
    kit: Kit | None = None,
    kind: str | None = None,
):
    """Make one pytest item of each check that applies to some things.

    A test module has::

        @parametrize_with_checks([Foo], expected_failures={"check_rotation": "it looks along x"})
        def test_contract(check):
            check()

    Parameters
    ----------
    things : iterable
        As in `checks_of`.
    expected_failures : mapping, optional
        Reasons by the name of the check, besides those of the kit. One that passes is a failure.
    kit : Kit, optional
        What to run them on; what each declares in `trial`, else the default.
    kind : str, optional
        As in `checks_of`.

    Returns
    -------
    decorator
        The function that it decorates is called with ``check``, to be called without arguments.
    """
    import pytest

    items = []
    for thing in map(analysis_class, things):
        own = kit_for(thing, kit)
        chosen = checks_of(thing, kind)
        expected = _expected(thing, chosen, {**own.expected_failures, **(expected_failures or {})})
        for one in chosen:
            marks = []
            if one.name in expected:
                marks = [pytest.mark.xfail(reason=expected[one.name], strict=True, raises=AssertionError)]
            items.append(pytest.param(_Bound(one, thing, own), id=f"{called(thing)}-{one.name}", marks=marks))
    return pytest.mark.parametrize("check", items)


@dataclasses.dataclass(frozen=True)
class _Bound:
    """A check with what it checks."""

    check: Check
    thing: Any
    kit: Kit

    def __call__(self) -> None:
        __tracebackhide__ = True
        self.check(self.thing, self.kit)


def _expected(thing: Any, chosen: list[Check], expected: Mapping[str, str]) -> Mapping[str, str]:
    """Refuse an expected failure without a reason, and of a check that does not apply."""
    names = [one.name for one in chosen]
    for name, reason in expected.items():
        if name not in names:
            near = closest(name, names) or f"; there are {', '.join(names)}"
            raise InputError(f"No check {name!r} applies to {called(thing)}{near}.")
        if not (isinstance(reason, str) and reason.strip()):
            raise InputError(f"Give the reason why {called(thing)} is expected to fail {name}.")
    return expected
