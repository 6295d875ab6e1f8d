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


def pytest_collection_modifyitems(items):
    if importlib.util.find_spec("hoomd") is None:
        skip = pytest.mark.skip(reason="HOOMD-blue is not here: conda-forge has it, or set PELPLUG_HOOMD_PATH")
        for item in items:
            if "hoomd" in item.keywords:
                item.add_marker(skip)
