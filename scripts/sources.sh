#!/usr/bin/env bash
# sources.sh: prints every C++ source and header of the project, one per line.
set -euo pipefail
cd "$(dirname "$0")/.."
folders=()
for folder in src tests fuzz bench; do
  [[ -d $folder ]] && folders+=("$folder")
done
find "${folders[@]}" -name '*.cpp' -o -name '*.h' | LC_ALL=C sort
