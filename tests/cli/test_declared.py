"""Options and keywords are the same ones, made of the same declarations."""

import inspect

import pytest
from click.testing import CliRunner

import pelplug
import pelplug.host
from pelplug.cli.analyze import analyze
from pelplug.cli.declared import ONLY_COMMAND, ONLY_PYTHON
from pelplug.cli.main import cli
from pelplug.cli.simulate import simulate
from pelplug.cli.study import study
from pelplug.engines.request import Program, Recording, Replication, Request
from pelplug.execution.placement import Placement
from pelplug.tasks.interactions import FileInteractions, Interactions
from pelplug.tasks.observation import Observation
from pelplug.tasks.parameter_file import ParameterFile
from pelplug.trajectories.source import Frames, Source

COMMANDS = {
    "analyze": (analyze, pelplug.analyze),
    "simulate": (simulate, pelplug.simulate),
    "study": (study, pelplug.study),
}
DECLARED = {
    "analyze": (Source, Frames, FileInteractions, Placement),
    "simulate": (Interactions, Request, Program, Recording, Replication, Observation),
    "study": (ParameterFile,),
}


def options_of(command):
    return {option.name for option in command.params}


def keywords_of(function):
    return {one.name for one in inspect.signature(function).parameters.values() if one.kind is not one.VAR_KEYWORD}


@pytest.mark.parametrize("name", COMMANDS)
def test_each_option_has_its_keyword(name):
    command, function = COMMANDS[name]
    assert options_of(command) - keywords_of(function) == ONLY_COMMAND[name]


def test_options_of_engines_are_options_of_the_command():
    """In Python they are keywords that the engine takes."""
    shown = CliRunner().invoke(cli, ["simulate", "--help"]).output
    specs = [spec for engine in pelplug.host.engines().values() for spec in engine.parameter_specs().values()]
    assert {"route", "mpi"} <= {spec.name for spec in specs}
    assert [spec.option for spec in specs if f"--{spec.option}" not in shown] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_each_keyword_has_its_option(name):
    command, function = COMMANDS[name]
    without = {spec.name for group in DECLARED[name] for spec in group.parameter_specs().values() if not spec.option}
    assert keywords_of(function) - options_of(command) == ONLY_PYTHON[name] | without


@pytest.mark.parametrize("name", COMMANDS)
def test_help_and_docstring_say_the_same_of_each_field(name):
    command, function = COMMANDS[name]
    shown = " ".join(CliRunner().invoke(cli, [name, "--help"], terminal_width=100).output.split())
    told = " ".join(inspect.getdoc(function).split())
    for group in DECLARED[name]:
        for spec in group.parameter_specs().values():
            words = spec.help[0].upper() + spec.help[1:]
            assert words in told, spec.name
            if spec.option:
                assert words in shown, spec.name
                assert f"--{spec.option}" in shown
                assert command.params[[one.name for one in command.params].index(spec.name)].help.startswith(words)
