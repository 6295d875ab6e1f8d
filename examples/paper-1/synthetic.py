"""Draw the study of random walks in a Gaussian landscape of the paper: ``python synthetic.py FIGURE``."""

import sys

import numpy as np
from pelplug_local_diffusivity.trial import Landscape

import pelplug

landscape, rng = Landscape(), np.random.default_rng(0)
results = [one for t in (0.446, 0.5, 0.55, 0.6, 0.65) for one in landscape.results(rng, t, 30)]
results += [one for t in (2.0, 3.0, 5.0) for one in landscape.results(rng, t, 6, hot=True)]
figure = pelplug.plot(pelplug.study("local-diffusivity", results, bins=12))
figure.savefig(sys.argv[1], dpi=1600 / figure.get_size_inches()[0])
