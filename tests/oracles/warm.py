"""Import to have kernels loaded: a process that is copied later need not load them again."""

import numpy as np

import pelplug

_model = pelplug.model("kob-andersen", cutoff=1.8)
_state = _model.random_configuration(60, 0)
_model.potential(_state).evaluator(_state)(_state.positions, np.empty_like(_state.positions))
