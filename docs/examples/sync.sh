#!/usr/bin/env bash
# One run from Wootric to Birdie. Settings come from TAP_WOOTRIC_* and TARGET_BIRDIE_*.
# Usage: sync.sh FOLDER [CATALOG]; FOLDER keeps the state from run to run.
set -mu -o pipefail

save() { # each state as it comes, whole or not at all
  while IFS= read -r state; do
    printf '%s\n' "$state" > state.new && mv state.new state.json || exit 1
  done
}

stop() { # the tap alone: target and state follow its last word within seconds
  kill -TERM "$(jobs -p %1)" && wait %1
  exit 143
}

cd "$1" && touch state.json || exit 1
tap-wootric --config=ENV --state state.json ${2:+--catalog "$2"} |
  target-birdie --config=ENV |
  save &
trap stop TERM INT
wait %1
