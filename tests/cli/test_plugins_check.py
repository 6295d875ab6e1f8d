"""``pelplug plugins check``: a line for each rule, and an exit code that says whether all are kept."""

import pytest
from faulty.analyses import DrawsWhatItSaw, Total

NAMES = "check_declared check_documented check_refuses_parameters check_base_is_passed_on check_runs check_units"


def lines(done):
    return [line.split(maxsplit=3) for line in done.stdout.splitlines()[:-1]]


def test_a_line_for_each_rule(pelplug_command):
    done = pelplug_command("plugins", "check", "total", also=[Total], code=0)
    assert {outcome for outcome, *_ in lines(done)} <= {"passed", "skipped"}
    assert {name for _, name, *_ in lines(done)} == {"total"}
    rules = [rule.rstrip(":") for _, _, rule, _ in lines(done)]
    assert rules[:6] == NAMES.split() and rules.count("check_rotation") == 1
    # It states no error, so there is none of which to ask how it was found.
    skipped = [rule for outcome, _, rule, _ in lines(done) if outcome == "skipped"]
    assert skipped == ["check_errors_say_how:"] and done.stderr == ""
    assert done.stdout.splitlines()[-1] == f"{len(rules) - 1} passed, 1 skipped"


def test_a_broken_rule_is_exit_code_1_unless_expected_with_its_reason(pelplug_command):
    check = ("plugins", "check", "draws-what-it-saw")
    done = pelplug_command(*check, also=[DrawsWhatItSaw], code=1)
    (broken,) = [line for line in lines(done) if line[0] == "failed"]
    assert broken[2] == "check_draws:" and "has no attribute 'last'" in broken[3]
    done = pelplug_command(*check, "--expect", "check_draws=it shows the last frame", also=[DrawsWhatItSaw], code=0)
    assert ["expected", "draws-what-it-saw", "check_draws:", "it shows the last frame"] in lines(done)
    done = pelplug_command(*check, "--expect", "check_runs=why", "--expect", "check_draws=x", also=[DrawsWhatItSaw])
    assert done.code == 1 and "it passes, though it was expected to fail: why" in done.stdout
    assert "1 expected" in done.stdout.splitlines()[-1] and "1 unexpected" in done.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["totl"], "No plugin offers anything of the name 'totl' (did you mean total?)."),
        (["total", "--expect", "check_draw=x"], "No check 'check_draw' applies to total (did you mean check_draws"),
        (["total", "--expect", "check_draws"], "--expect takes CHECK=REASON"),
        ([], "Missing argument 'NAME'"),
    ],
)
def test_what_is_not_there_is_exit_code_2(pelplug_command, arguments, words):
    done = pelplug_command("plugins", "check", *arguments, also=[Total], code=2)
    assert words in done.stderr and done.stdout == ""


def test_a_plugin_is_checked_whole(pelplug_command, monkeypatch):
    tried = []
    monkeypatch.setattr("pelplug.testing.checks.run_checks", lambda thing, **_: tried.append(thing.name) or [])
    pelplug_command("plugins", "check", "propensity", code=0)
    assert sorted(tried) == ["hop-events", "isoconfigurational-events", "propensity"]
