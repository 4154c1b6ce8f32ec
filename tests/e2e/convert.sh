#!/bin/sh
# convert.sh - a model of llama2.c with its own tokeniser of 32,000 pieces: what it draws, and both files back again.
pieces=${TINYGEN_DATA:-../shared/data}/model/llama2_tokenizer.bin
command -v "$PYTHON" > /dev/null || { echo "skip convert: no $PYTHON"; exit 0; }
[ -f "$pieces" ] || { echo "skip convert: no data folder (TINYGEN_DATA)"; exit 0; }
work=$(mktemp -d "$TG_TEST_TMP/convert-XXXXXX") || exit 2
trap 'rm -rf "$work"' EXIT
reference=tests/golden/llama2_reference.py
"$PYTHON" $reference make "$work/a.bin" 1 16 40 2 4 2 32000 128 &&
gen-convert "$work/a.bin" --tokenizer "$pieces" -o "$work/a.safetensors" -q || { echo "not ok convert_in"; exit 1; }
gen-sample "$work/a.safetensors" --temperature 0 --length 100 --json | sed 's/.*"tokens": \[\([^]]*\)\].*/\1/' > "$work/ours"
"$PYTHON" $reference run "$work/a.bin" 100 > "$work/theirs" 2> "$work/near"
if [ "$(tr , '\n' < "$work/theirs" | wc -l)" -eq 100 ] && cmp "$work/ours" "$work/theirs"; then echo "ok convert_draws ($(cat "$work/near"))"
else echo "not ok convert_draws"; fi
if gen-convert "$work/a.safetensors" -o "$work/b.bin" --tokenizer "$work/pieces.bin" -q && cmp "$work/a.bin" "$work/b.bin" &&
    cmp "$pieces" "$work/pieces.bin"; then echo "ok convert_back"
else echo "not ok convert_back"; fi
if gen-convert "$work/a.safetensors" -o "$work/a.gguf" -q &&
    "$PYTHON" tests/golden/gguf_reference.py "$work/a.gguf" "$work/a.safetensors" "$pieces"; then echo "ok convert_gguf"
else echo "not ok convert_gguf"; fi
gpt2=${pieces%/*}/gpt2/gpt2_vocab.json
if gen-collect synth:verses --max-bytes 20k -o "$work/v" -q && gen-preprocess "$work/v" -o "$work/d.safetensors" --tokenizer "$gpt2" -q \
        --documents blank &&
    gen-train --data "$work/d.safetensors" --model transformer --dim 16 --heads 2 --layers 1 --context 16 --steps 2 --no-tie \
        -o "$work/r" -q && gen-convert "$work/r" -o "$work/r.gguf" -q &&
    "$PYTHON" tests/golden/gguf_reference.py "$work/r.gguf" "$work/r/model.safetensors"; then echo "ok convert_gguf_of_gpt2s_pieces"
else echo "not ok convert_gguf_of_gpt2s_pieces"; fi
