"""HOOMD-blue as an engine, on CPUs and GPUs. The only room that imports hoomd."""
