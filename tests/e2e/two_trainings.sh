#!/bin/sh
# two_trainings.sh - two gen-train on one folder: one runs, the other is refused and told who holds the lock.
work=$(mktemp -d "${TG_TEST_TMP:-/tmp}/two-XXXXXX") || exit 2
trap 'kill $first 2> /dev/null; rm -rf "$work"' EXIT
gen-collect synth:verses --max-bytes 20k --licence CC0-1.0 -o "$work/c" -q &&
gen-preprocess "$work/c" -o "$work/x.safetensors" -q || { echo "not ok two_trainings: no data"; exit 1; }
gen-train --data "$work/x.safetensors" --model lstm --hidden 64 --steps 1000000 --eval-every 1000000 -q -o "$work/a" &
first=$!
while [ ! -s "$work/a/run.lock" ]; do kill -0 $first 2> /dev/null || break; done
gen-train --data "$work/x.safetensors" --model lstm --hidden 64 --steps 1000000 --resume -q -o "$work/a" 2> "$work/err"
code=$?
if [ $code -eq 1 ] && grep -q "pid $first" "$work/err"; then
    echo "ok two_trainings_the_second_is_refused_and_names_the_first"
else
    echo "not ok two_trainings: exit $code, $(cat "$work/err")"
fi
kill -TERM $first
wait $first
code=$?
if [ $code -eq 143 ] && [ -s "$work/a/state.safetensors" ]; then echo "ok two_trainings_term_saves_and_exits_143"
else echo "not ok two_trainings_term: exit $code"; fi
