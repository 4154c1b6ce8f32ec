#!/bin/sh
# formats.sh - corpora and datasets read by Python's own json, struct and hashlib from docs/formats.md alone.
command -v "$PYTHON" > /dev/null || { echo "skip formats: no $PYTHON"; exit 0; }
work=$(mktemp -d "$TG_TEST_TMP/formats-XXXXXX") || exit 2
trap 'rm -rf "$work"' EXIT
make_one()
{
    name=$1 options=$2; shift 2
    # shellcheck disable=SC2086
    gen-collect "$@" -o "$work/$name" -q && gen-preprocess "$work/$name" -o "$work/$name.safetensors" -q $options &&
        "$PYTHON" tests/e2e/formats.py "$work/$name" "$work/$name.safetensors" && echo "ok formats_$name" ||
        echo "not ok formats_$name"
}
make_one english '--val 0.1 --test 0.05' data/verses.txt synth:verses --max-bytes 40k
make_one chinese '' data/couplets.txt
make_one wide '' synth:couplets data/couplets.txt data/verses.txt
make_one bytes '--tokenizer byte' data/couplets.txt
make_ngrams()
{
    gen-train --data "$work/$1.safetensors" --model ngram --order "$2" -o "$work/$1-$2" -q &&
        "$PYTHON" tests/e2e/ngram.py "$work/$1.safetensors" "$work/$1-$2" && echo "ok formats_ngrams_$1_$2" ||
        echo "not ok formats_ngrams_$1_$2"
}
make_ngrams english 6
make_ngrams chinese 3
make_ngrams wide 1
make_ngrams bytes 8
