#!/bin/sh
# torch_loads.sh - PyTorch reads our model.safetensors by name into its own modules and gets the same validation loss.
for py in "${PYTHON:-python3}" /usr/bin/python3; do
    "$py" -c 'import torch' 2> /dev/null && break
    py=
done
[ "$py" ] || { echo "skip torch_loads: no python3 with torch"; exit 0; }
work=$(mktemp -d "${TG_TEST_TMP:-/tmp}/torch-XXXXXX") || exit 2
trap 'rm -rf "$work"' EXIT
gen-collect synth:verses --max-bytes 40k --licence CC0-1.0 -o "$work/c" -q &&
gen-preprocess "$work/c" -o "$work/x.safetensors" -q || { echo "not ok torch_loads: no data"; exit 1; }
i=0
while [ $i -lt 90 ]; do
    i=$((i + 1))
    echo "$i plus $((i * 7 % 13)) is small" >> "$work/plus"
    echo "$i minus $((i * 5 % 11)) is great" >> "$work/minus"
done
for label in plus minus; do gen-collect "$work/$label" -o "$work/$label.c" --label $label --licence CC0-1.0 -q; done
gen-preprocess "$work/plus.c" "$work/minus.c" -o "$work/classes.safetensors" --documents line -q ||
    { echo "not ok torch_loads: no data with classes"; exit 1; }
gen-preprocess "$work/c" -o "$work/lines.safetensors" --documents line -q || { echo "not ok torch_loads: no documents"; exit 1; }
# options NAME: documents of the last sets are longer than --context 16 and 24, or share rows
options()
{
    case $1 in
    gpt2) echo --model transformer --norm layer --pos learned --act gelu --bias --layers 2 --heads 2 --dim 24 --context 16 ;;
    llama) echo --model transformer --layers 2 --heads 4 --kv-heads 2 --dim 32 --no-tie --context 24 ;;
    normed) echo --model transformer --act relu2 --qk-norm --layers 1 --heads 2 --dim 24 --context 100 ;;
    *) echo --model "$1" --hidden 32 --seq 20 ;;
    esac
}
for row in lstm:x gru:x rnn:x lstm:classes rnn:classes gpt2:x llama:x gpt2:lines llama:classes normed:classes; do
    model=${row%:*}_${row#*:} data=$work/${row#*:}.safetensors
    # shellcheck disable=SC2046
    ours=$(gen-train --data "$data" $(options "${row%:*}") --steps 60 --batch 8 -q --json \
        -o "$work/$model" | sed 's/.*"val_loss": \([0-9.]*\).*/\1/')
    theirs=$("$py" tests/golden/load_in_torch.py "$work/$model/model.safetensors" "$data" 2>&1 | tail -n 1)
    if awk -v a="$ours" -v b="$theirs" 'BEGIN { d = a - b; exit !(a > 0 && d < 1e-4 && d > -1e-4) }'; then
        echo "ok torch_loads_$model ($ours, $theirs)"
    else
        echo "not ok torch_loads_$model: ours $ours, theirs $theirs"
    fi
done
