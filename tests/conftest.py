"""Put this folder on the path, so that every test can ``import oracles`` (pytest runs with --import-mode=importlib)."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
