#!/bin/sh
# tasks.sh - a small transformer learns to copy three to six letters, from the corpus to the sample: exact match on prompts
# that it has not seen. docs/models/transformer.md has the figures of all tasks, which take minutes.
work=$(mktemp -d "${TG_TEST_TMP:-${TMPDIR:-/tmp}}/tasks-XXXXXX") || exit 2
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -c '' 2> /dev/null || { echo "skip tasks: no python3"; exit 0; }
gen-collect synth:tasks:copy --max-bytes 60k --licence CC0-1.0 -o "$work/c" -q &&
gen-preprocess "$work/c" --documents line -o "$work/x.safetensors" -q &&
gen-train --data "$work/x.safetensors" --model transformer --layers 2 --dim 48 --context 24 --batch 32 --lr 5e-3 --dropout 0 \
    --steps 1200 --eval-every 1000 --sample-every 0 -q -o "$work/run" || { echo "not ok tasks: no run"; exit 1; }
said=$("${PYTHON:-python3}" tests/e2e/tasks.py "$work/run" "$work/x.safetensors" 50 2>&1)
right=$(echo "$said" | sed -n 's,^copy \([0-9]*\)/50 .*,\1,p')
if [ "${right:-0}" -ge 45 ]; then echo "ok tasks_are_copied_rightly ($right of 50)"
else echo "not ok tasks_are_copied_rightly: $said"; fi
