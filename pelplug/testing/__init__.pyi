# The kit for authors: each name once, with the module where it lives; see pelplug/__init__.pyi.

from . import states as states
from .analyses import check_analysis as check_analysis
from .checks import Check as Check
from .checks import CheckResult as CheckResult
from .checks import check as check
from .checks import checks_of as checks_of
from .checks import parametrize_with_checks as parametrize_with_checks
from .checks import require as require
from .checks import run_checks as run_checks
from .command import CommandRunner as CommandRunner
from .command import Finished as Finished
from .crystals import CRYSTALS as CRYSTALS
from .crystals import Crystal as Crystal
from .crystals import crystal as crystal
from .kit import Kit as Kit
from .plugin import pelplug_command as pelplug_command
from .plugin import pelplug_trajectory as pelplug_trajectory
from .samples import make_trajectory as make_trajectory
from .samples import registry_with as registry_with
from .samples import unfinished_store as unfinished_store
from .toy_engine import ToyEngine as ToyEngine
