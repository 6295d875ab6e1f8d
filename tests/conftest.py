"""Put this folder on the path, so that every test can ``import oracles`` (pytest runs with --import-mode=importlib).

Tests marked ``hoomd`` run where HOOMD-blue can be imported, from the folder that PELPLUG_HOOMD_PATH names if it is set.
"""

import importlib.util
import os
import pathlib
import signal
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

if _folder := os.environ.get("PELPLUG_HOOMD_PATH"):
    sys.path.append(_folder)
    # Programs that tests start find it as well.
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), _folder)))

# A shell that runs the tests in the background lets them ignore Ctrl-C, and so the programs that tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    """Spread the whole suite over the cores; files and tests that are named run in this process."""
    options = config.option
    if (
        not hasattr(config, "workerinput")  # a worker comes here too, and would start workers of its own, without end
        and config.args_source is pytest.Config.ArgsSource.TESTPATHS
        and getattr(options, "numprocesses", 0) is None  # pytest-xdist is there and nobody has said how many
        and not (options.usepdb or options.collectonly)
    ):
        options.numprocesses = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        options.dist = "worksteal"  # neighbours stay together, so they share what a module's fixtures made


def pytest_collection_modifyitems(items):
    if importlib.util.find_spec("hoomd") is None:
        skip = pytest.mark.skip(reason="HOOMD-blue is not here: conda-forge has it, or set PELPLUG_HOOMD_PATH")
        for item in items:
            if "hoomd" in item.keywords:
                item.add_marker(skip)
