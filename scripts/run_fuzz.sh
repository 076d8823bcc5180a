#!/usr/bin/env bash
# run_fuzz.sh BUILD_DIR SECONDS: runs every fuzz target of the build for that long, starting from fuzz/corpus/NAME. New inputs
# stay in BUILD_DIR; a crashing one is left there and named. An input over 10 s, an allocation over
# 64 MiB or a process over 512 MiB counts as a crash.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1
seconds=$2
mapfile -t targets < <(find "$build" -name '*_fuzz' -type f -executable | LC_ALL=C sort)
if [[ ${#targets[@]} -eq 0 ]]; then
  echo "error: no fuzz target below $build" >&2
  exit 1
fi
for target in "${targets[@]}"; do
  name=$(basename "$target" _fuzz)
  corpus=fuzz/corpus/$name
  if [[ ! -d $corpus ]]; then
    echo "error: fuzz target $name has no corpus folder $corpus" >&2
    exit 1
  fi
  found=$build/found/$name
  mkdir -p "$found"
  log=$build/found/$name.log
  echo "== fuzz: $name, $seconds s"
  if ! "$target" "$found" "$corpus" -max_total_time="$seconds" -timeout=10 -malloc_limit_mb=64 -rss_limit_mb=512 -print_final_stats=1 \
      -artifact_prefix="$found/" >"$log" 2>&1 </dev/null; then
    tail -n 40 "$log" >&2
    echo "error: fuzz target $name failed; the input is named above, the whole log is $log" >&2
    exit 1
  fi
  grep -E 'stat::(number_of_executed_units|peak_rss_mb)' "$log"
done
