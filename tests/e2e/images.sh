#!/bin/sh
# images.sh - images and points: what is made of nothing is read by Python from docs/formats.md alone; real data sets, where they are,
# go through with what is chosen for them.
work=$(mktemp -d "$TG_TEST_TMP/images-XXXXXX") || exit 2
trap 'rm -rf "$work"' EXIT
data=${TINYGEN_DATA:-../shared/data}/image

read_one()
{
    name=$1; shift
    command -v "$PYTHON" > /dev/null || { echo "skip images_$name: no $PYTHON"; return; }
    gen-collect "$@" -o "$work/$name" -q && gen-preprocess "$work/$name" -o "$work/$name.safetensors" -q 2> /dev/null &&
        "$PYTHON" tests/e2e/samples.py "$work/$name" "$work/$name.safetensors" && echo "ok images_$name" || echo "not ok images_$name"
}
read_one shapes synth:shapes --limit 60
read_one grey synth:shapes:grey --limit 80
for kind in 8gaussians 25gaussians swissroll moons pinwheel; do read_one "$kind" "synth:points:$kind" --limit 400; done

# real NAME COLLECT_OPTIONS PREPROCESS_OPTIONS WANT: with two numbers of threads, the same bytes.
real()
{
    [ -e "$data/$1" ] || { echo "skip images_$1: no data folder (TINYGEN_DATA)"; return; }
    # shellcheck disable=SC2086
    gen-collect "$data/$1" -o "$work/$1" -q $2 2> /dev/null &&
        gen-preprocess "$work/$1" -o "$work/$1.safetensors" -q --json $3 2> /dev/null > "$work/json" &&
        gen-preprocess "$work/$1" -o "$work/again.safetensors" -q -f --threads 3 $3 2> /dev/null
    got=$(sed -n 's/.*"train": \([0-9]*\), "val": \([0-9]*\), "test": \([0-9]*\), "shape": \([^]]*]\), "classes": \([0-9]*\).*"mean": \[\(0\.[0-9]\{3\}\).*/\1 \2 \3 \4 \5 \6/p' "$work/json")
    if [ "$got" != "$4" ]; then echo "not ok images_$1: $got, not $4"
    elif ! cmp -s "$work/$1.safetensors" "$work/again.safetensors"; then echo "not ok images_$1: other bytes with other threads"
    else echo "ok images_$1"; fi
    rm -rf "${work:?}/$1" "$work/$1.safetensors" "$work/again.safetensors"
}
real mnist '' '' '54000 6000 10000 [1, 28, 28] 10 0.130'
real fashion_mnist_part '' '' '7200 800 4000 [1, 28, 28] 10 0.284'
real kmnist '' '' '6300 700 10000 [1, 28, 28] 10 0.191'
real digits_8x8 '' '--shape 1x8x8' '3440 383 1797 [1, 8, 8] 10 0.307'
real noto_emoji_32 '' '' '1296 144 0 [3, 32, 32] 0 0.839'
real crawl_tiles '--label from-folder' '' '2180 243 0 [3, 32, 32] 3 0.550'
real cifar10_jpeg_subset '--label from-folder' '' '2250 250 500 [3, 32, 32] 10 0.492'
