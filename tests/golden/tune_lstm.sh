#!/bin/sh
# tune_lstm.sh TEXT - makes tune_lstm.txt anew: every point of a grid of small LSTMs on the first 100 kB of a text (Tiny Shakespeare).
# A line: optimizer, seq, layers, hidden, lr, and the validation loss after 30, 90, 270 and 810 steps; nan: it had diverged.
# 648 trainings, which took 45 minutes on a busy machine. Needs build/bin and writes to standard output.
set -e
bin=build/bin
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
head -c 100000 "$1" > "$work/text.txt"
$bin/gen-collect "$work/text.txt" -o "$work/corpus" -q
$bin/gen-preprocess "$work/corpus" -o "$work/text.safetensors" --tokenizer char -q
for optimizer in adam rmsprop sgd; do for seq in 8 16 32; do for layers in 1 2; do for hidden in 16 32 48 64; do
for lr in 0.0005 0.001 0.002 0.004 0.008 0.016 0.032 0.064 0.128; do
    $bin/gen-train --data "$work/text.safetensors" --model lstm --optimizer $optimizer --seq $seq --layers $layers --hidden $hidden \
        --lr $lr --batch 16 --steps 810 --eval-every 30 --eval-share 0 --sample-every 0 -o "$work/run" --force -q --threads 1 || true
    printf '%s' "$optimizer $seq $layers $hidden $lr"
    for step in 30 90 270 810; do
        loss=$(sed -n "s/.*\"step\": $step,.*\"val_loss\": \([0-9.]*\),.*/\1/p" "$work/run/log.jsonl")
        [ "$loss" ] && printf ' %.4f' "$loss" || printf ' nan'
    done
    echo
done; done; done; done; done
