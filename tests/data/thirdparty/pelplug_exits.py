"""A plugin that ends the program at import."""

import sys

sys.exit("no licence found")
