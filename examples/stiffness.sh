#!/bin/sh
# How stiff inherent structures are over the temperature of the liquid that they came from, with errors over
# independent runs: five simulations of an inverse-power-law liquid at each of five temperatures, the dipole stiffness
# of their inherent structures, five runs together, and the study of all. It goes on where it was interrupted.
#
#     sh examples/stiffness.sh FOLDER      # 15 minutes of processor time, two processes at a time
set -e
mkdir -p "${1:?name a folder for the files}"
cd "$1"

while read -r temperature steps every; do
    pelplug simulate inverse-power-law -N 256 -T "$temperature" --steps "$steps" --frames "$every" --seed 1 \
        --replicas 5 --workers 2 --threads 1 -o "ipl-$temperature.gsd"
    pelplug analyze "ipl-$temperature-seed*.gsd" --plugin kappa --workers 2 -o "ipl-$temperature.nc" --quiet
done <<TEMPERATURES
0.7 80000 8000
0.8 50000 5000
1.0 20000 2000
1.4 10000 1000
2.0 10000 1000
TEMPERATURES

pelplug info ipl-*.nc
pelplug study stiffness ipl-*.nc -o stiffness.nc --plot stiffness.png --overwrite
