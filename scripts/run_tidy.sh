#!/usr/bin/env bash
# run_tidy.sh BUILD_DIR JOBS: clang-tidy with .clang-tidy over every source of src/ in the build's compile database.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$(pwd)
# The generated source of the model definitions must exist to be parsed; the tests' macros drown the checks, so they are left out.
log=$1/tidy.log
if run-clang-tidy -quiet -p "$1" -j "$2" "^$root/src/(?!.*_test\.cpp$).*\.cpp$" >"$log" 2>&1; then
  echo "clang-tidy: clean"
else
  grep -E 'error:|warning:' -A 3 "$log" | sort -u >&2 || tail -n 40 "$log" >&2
  exit 1
fi
