#!/usr/bin/env bash
# Run one sync from Wootric to Birdie. Settings come from TAP_WOOTRIC_* and TARGET_BIRDIE_*.
# Usage: sync.sh FOLDER [CATALOG]. FOLDER keeps the state and the delivery store between runs.
set -mu -o pipefail # pipefail: if the tap fails, the script fails

save() { # replace the state file with each state, atomically
  while IFS= read -r state; do
    printf '%s\n' "$state" > state.new && mv state.new state.json || exit 1
  done
}

stop() { # stop only the tap: the target still delivers the records that the tap has written
  kill -TERM "$(jobs -p %1)" && wait %1
  exit 143
}

cd "$1" && touch state.json || exit 1
tap-wootric --config=ENV --state state.json ${2:+--catalog "$2"} |
  target-birdie --config=ENV |
  save &
trap stop TERM INT
wait %1 && touch last_success
