#!/usr/bin/env bash
# build.sh PRESET [TARGET…]: configures build/PRESET when that is needed, and builds it on all cores.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
preset="$1"
shift
build="build/$preset"

# Ninja runs CMake again by itself when a CMakeLists.txt has changed, but it does not know of the presets.
if [[ ! -f "$build/build.ninja" || CMakePresets.json -nt "$build/CMakeCache.txt" ]]; then
  cmake --preset "$preset" >"/tmp/triaged-configure-$$" 2>&1 || {
    cat "/tmp/triaged-configure-$$" >&2
    rm -f "/tmp/triaged-configure-$$"
    exit 1
  }
  rm -f "/tmp/triaged-configure-$$"
  touch "$build/CMakeCache.txt"
fi

# What one checkout has compiled is there for the next: ccache sees paths below the project's root as relative.
export CCACHE_BASEDIR="$PWD" CCACHE_NOHASHDIR=1

targets=()
(($#)) && targets=(--target "$@")
NINJA_STATUS="[$preset %f/%t] " exec cmake --build "$build" "${targets[@]}" -- --quiet
