#!/bin/bash
# depeche on a Slurm cluster: the first task makes the run and writes the outputs, the others work on it.
# Submit it in the folder of config.toml, which all nodes must see: sbatch --array=0-39 slurm.sh
#SBATCH --job-name=depeche
#SBATCH --cpus-per-task=2
#SBATCH --mem=4G
#SBATCH --output=depeche-%A-%a.log
#SBATCH --requeue
set -u
if [ "${SLURM_ARRAY_TASK_ID:-0}" = "${SLURM_ARRAY_TASK_MIN:-0}" ]; then
    command=(depeche run --quiet)
else
    command=(depeche work --quiet --wait-for 10m)
fi
# Slurm starts a task again whose node has failed, but not one whose program was killed, for example
# because memory ran out. 5: a service or the ledger was unavailable. The other codes are final.
while true; do
    "${command[@]}"
    code=$?
    case $code in
        5 | 137) sleep 5 ;;
        *) exit "$code" ;;
    esac
done
