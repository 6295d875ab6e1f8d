#!/bin/sh
# Amorphous silicon by a calculator of ASE, matscipy's of Kumagai's potential, from files of ASE: glass.traj, run.traj of the
# liquid and run.log.
# Needs pip install '.[ase]' matscipy.
#
#     sh examples/materials/ase-calculator/run.sh FOLDER            # 64 atoms, 4 ps of the liquid
#     STEPS=400 sh examples/materials/ase-calculator/run.sh FOLDER  # 0.8 ps
set -e
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "${1:?name a folder for the files}"
cd "$1"
cells=${CELLS:-2}

python "$here/glass.py" "$cells" "${STEPS:-2000}"

given="--potential ase:$here/calculator.py:silicon"
pelplug analyze glass.traj $given --plugin inherent-structures --plugin kappa --plugin vibrations \
    --potential-param cutoff=3.3 -o structures.nc --plot structures.png --overwrite
pelplug analyze run.traj $given --frame-interval 0.01 --temperature 3000 --plugin dynamics \
    -o dynamics.nc --plot dynamics.png --overwrite
pelplug msed run.log --particles $((8 * cells * cells * cells)) --temperature 3000 --ensemble nve \
    -o msed.nc --plot msed.png --overwrite

# ASE's energy of the glass, and of its minimum.
python "$here/../compare.py" structures.nc initial_energy glass.energy 1e-9
pelplug analyze minimum.traj $given --plugin inherent-structures -o minimum.nc --overwrite --quiet
python "$here/../compare.py" minimum.nc energy minimum.energy 1e-9
