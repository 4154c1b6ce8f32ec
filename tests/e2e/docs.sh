#!/bin/sh
# docs.sh - the command lines of README.md and docs/ are run as they stand, page by page, each page in a folder of its own
# with a few texts of ours in my-texts/ and, where the page does not make it itself, a dataset of them. Lines about Tiny Shakespeare (ts.safetensors) are figures that take their time: left
# out here.
work=$(mktemp -d "${TG_TEST_TMP:-${TMPDIR:-/tmp}}/docs-XXXXXX") || exit 2
trap 'rm -rf "$work"' EXIT
gen-collect data/verses.txt --licence CC0-1.0 -o "$work/corpus" -q && gen-preprocess "$work/corpus" -o "$work/x.safetensors" -q || exit 1
for page in README.md docs/*.md docs/*/*.md; do
    [ -f "$page" ] || continue
    sed -n 's/^    \(gen-.*\)/\1/p' "$page" | sed 's/  *#.*//' | grep -v 'ts\.safetensors' > "$work/lines"
    [ -s "$work/lines" ] || continue
    name=docs_$(basename "$page" .md)
    folder=$work/$name
    mkdir -p "$folder/my-texts"
    head -c 6000 data/verses.txt > "$folder/my-texts/verses.txt"
    cp data/couplets.txt data/couplets-gb18030.txt "$folder/my-texts/"
    for data in x verses; do
        grep -q -- "-o $data.safetensors" "$work/lines" || cp "$work/x.safetensors" "$folder/$data.safetensors"
    done
    if (cd "$folder" && sh -e "$work/lines" < /dev/null > "$work/out" 2>&1); then echo "ok $name"
    else echo "not ok $name: $(tail -n 1 "$work/out")"; fi
done
