"""The exporters that come with pelplug keep every rule of theirs."""

from pelplug.files.exporters import BUNDLED
from pelplug.testing import parametrize_with_checks


@parametrize_with_checks(BUNDLED)
def test_bundled_exporters(check):
    check()
