#!/usr/bin/env bash
# After the array: its parts to one report. Usage: sbatch --dependency=afterok:ARRAY merge.sh PARTS REPORT
#SBATCH --job-name=regionsim-merge
#SBATCH --output=regionsim-merge-%j.log
#SBATCH --kill-on-invalid-dep=yes
#SBATCH --mem-per-cpu=1G
set -euo pipefail
regionsim merge "$1" --out "$2"
