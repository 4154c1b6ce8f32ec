#!/bin/sh
# demo.sh - what `make demo` runs: all seven steps with documents, in English and (from a GB18030 file) in Chinese, and with images,
# in about a minute.
set -e
BUILD=${BUILD:-build}
PATH=$(cd "$BUILD/bin" && pwd):$PATH
at=$BUILD/demo
rm -rf "$at"
mkdir -p "$at"

say() { printf '\n== %s\n' "$*"; }
run() { printf '$ %s\n' "$*"; "$@"; }

# lesson NAME TEXT SYNTH DOCUMENTS STEPS SAMPLES: the four steps on our text and more of its kind from a seeded grammar.
lesson()
{
    say "$1: collect and preprocess"
    run gen-collect "data/$2" "synth:$1" --max-bytes 200k --licence CC0-1.0 -o "$at/$1"
    run gen-preprocess "$at/$1" --documents "$3" -o "$at/$1.safetensors"
    say "$1: an n-gram, to compare with"
    run gen-train --data "$at/$1.safetensors" --model ngram --order 4 -o "$at/$1-ngram"
    gen-sample "$at/$1-ngram" --length 200 --temperature 0.8 --seed 1
    say "$1: an LSTM before training (one step)"
    gen-train --data "$at/$1.safetensors" --model lstm -o "$at/$1-untrained" --steps 1 -q
    gen-sample "$at/$1-untrained" --length 80 --seed 1
    say "$1: train the LSTM"
    run gen-train --data "$at/$1.safetensors" --model lstm -o "$at/$1-lstm" --hidden 128 --steps "$4"
    say "$1: after training"
    run gen-sample "$at/$1-lstm" -n "$5" --temperature 0.6 --seed 1
}

lesson verses verses.txt blank 550 2
lesson couplets couplets-gb18030.txt line 400 6

say "shapes: images, a variational autoencoder"
run gen-collect synth:shapes --licence CC0-1.0 -o "$at/shapes"
run gen-preprocess "$at/shapes" -o "$at/shapes.safetensors"
run gen-train --data "$at/shapes.safetensors" --model vae --steps 400 -o "$at/shapes-vae"
run gen-sample "$at/shapes-vae" --grid 8x8 -o "$at/shapes-drawn.png"
run gen-sample "$at/shapes-vae" -n 4 --show

say "shapes: a generative adversarial network, on smaller ones"
run gen-preprocess "$at/shapes" --size 16 -o "$at/small.safetensors"
run gen-train --data "$at/small.safetensors" --model gan --channels 24 --steps 700 -o "$at/shapes-gan"
run gen-sample "$at/shapes-gan" --grid 8x8 -o "$at/shapes-invented.png"
run gen-sample "$at/shapes-gan" -n 4 --label circle --show

say "which is better"
run gen-select "$at/verses-ngram" "$at/verses-lstm" -o "$at/best"

say "how good are they: figures, what they learned by heart, one page"
run gen-evaluate "$at/verses-lstm" "$at/verses-ngram" -n 20 --metrics bpc,distinct_2,self_bleu,copied,c2st_logistic
run gen-evaluate "$at/verses-lstm" "$at/verses-ngram" -n 30 -o "$at/report.html"

say "better: eight small trainings say which settings do best"
run gen-tune search --data "$at/verses.safetensors" --space model=lstm,gru --space lr=3e-4:3e-2:log --hidden 32 --layers 1 --steps 60 \
    --trials 8 -o "$at/tune"
gen-select "$at"/tune/trials/* -o "$at/tuned" > /dev/null 2>&1

say "better: what would help the best of them most? A piece of advice, measured"
run gen-tune advise "$at/tuned" --effort 2 -o "$at/advice"

say "what next"
cat <<TEXT
Everything is in $at; model.safetensors opens in other programs, log.jsonl holds the curves.
The report is $at/report.html, the search's $at/tune/study.html: open them in a browser. Try
  $BUILD/bin/gen-sample $at/verses-lstm --prompt "The " --temperature 1 -n 3
  $BUILD/bin/gen-sample $at/verses-lstm --prompt "The " --probs --length 3
  $BUILD/bin/gen-sample $at/couplets-lstm --prompt "春风" -n 3
  look at $at/shapes.png (what it learned from) and $at/shapes-drawn.png, $at/shapes-invented.png (what it draws)
  $BUILD/bin/gen-sample $at/shapes-vae --reconstruct $at/shapes.safetensors -o $at/shapes-back.png
  $BUILD/bin/gen-collect your.txt -o $at/mine && $BUILD/bin/gen-preprocess $at/mine -o $at/mine.safetensors
  $BUILD/bin/gen-train --data $at/mine.safetensors --model gru -o $at/mine-gru
TEXT
