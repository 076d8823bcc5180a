#!/usr/bin/env bash
# check_style.sh: every style check, all of them even after one has failed; exits 1 when any did.
set -euo pipefail
cd "$(dirname "$0")/.."
failed=0
run() {
  local what=$1
  shift
  if "$@"; then
    echo "style: $what: ok"
  else
    echo "style: $what: FAILED" >&2
    failed=1
  fi
}
# shellcheck disable=SC2317  # called through run
format_is_kept() { scripts/sources.sh | xargs clang-format --dry-run -Werror; }
run "sizes" python3 scripts/check_sizes.py
run "include arrows" python3 scripts/check_includes.py
run "table of architectures" python3 scripts/models_table.py --check
run "house rules" python3 scripts/check_rules.py
run "clang-format" format_is_kept
exit $failed
