#!/bin/sh
# demo.sh - what `make demo` runs: collect, preprocess, train and sample, in English and in Chinese, in about a minute.
set -e
BUILD=${BUILD:-build}
PATH=$(cd "$BUILD/bin" && pwd):$PATH
at=$BUILD/demo
rm -rf "$at"
mkdir -p "$at"

say() { printf '\n== %s\n' "$*"; }
run() { printf '$ %s\n' "$*"; "$@"; }

# lesson NAME TEXT SYNTH STEPS: the four steps on our text and more of its kind from a seeded grammar.
lesson()
{
    say "$1: collect and preprocess"
    run gen-collect "data/$2" "synth:$1" --max-bytes 200k --licence CC0-1.0 -o "$at/$1"
    run gen-preprocess "$at/$1" -o "$at/$1.safetensors"
    say "$1: before training (one step)"
    gen-train --data "$at/$1.safetensors" --model lstm -o "$at/$1-untrained" --steps 1 -q
    gen-sample "$at/$1-untrained" --length "$4" --seed 1
    say "$1: train an LSTM"
    run gen-train --data "$at/$1.safetensors" --model lstm -o "$at/$1-lstm" --hidden 128 --steps "$3"
    say "$1: after training"
    run gen-sample "$at/$1-lstm" --length "$4" --temperature 0.6 --seed 1
}

lesson verses verses.txt 700 240
lesson couplets couplets.txt 500 96

say "what next"
cat <<TEXT
Everything is in $at; model.safetensors opens in other programs, log.jsonl holds the curves. Try
  $BUILD/bin/gen-sample $at/verses-lstm --prompt "The " --temperature 1 -n 3
  $BUILD/bin/gen-sample $at/verses-lstm --prompt "The " --probs --length 3
  $BUILD/bin/gen-collect your.txt -o $at/mine && $BUILD/bin/gen-preprocess $at/mine -o $at/mine.safetensors
  $BUILD/bin/gen-train --data $at/mine.safetensors --model gru -o $at/mine-gru
TEXT
