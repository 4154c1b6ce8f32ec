#!/bin/sh
# examples.sh - docs/examples/Makefile with few steps: the grid is trained once, and what has changed is made again, and no more.
work=$(mktemp -d "${TG_TEST_TMP:-${TMPDIR:-/tmp}}/examples-XXXXXX") || exit 2
trap 'rm -rf "$work"' EXIT
cp docs/examples/* "$work" && mkdir -p "$work/texts/mine" && cp data/couplets-gb18030.txt "$work/texts/mine/a 文.txt" && cd "$work" || exit 2
echo '{"steps": 3}' > train.json

grid() { "${MAKE:-make}" MODELS='rnn gru' DATA='verses couplets mine' BYTES=20k "$@"; }
# ok NAME COMMAND...: by its status
ok()
{
    name=examples_$1; shift
    if "$@" > check 2>&1; then echo "ok $name"; else echo "not ok $name: $(tail -n 3 check | tr '\n' ' ')"; fi
}
# remade EXPECTED: the cells that are made after a change, by data set; and nothing is left to do.
remade()
{
    grid -j2 > log 2>&1 || { tail -n 3 log; return 1; }
    got=$(sed -n 's|^gen-train .*-o runs/\([^ ]*\) .*|\1|p' log | sort | tr '\n' ' ')
    [ "$got" = "$1" ] || { echo "trained: $got; expected: $1"; return 1; }
    grid -q
}
# pages DATA...: every cell is on its data set's page
pages()
{
    for data in "$@"; do
        for cell in gru-1 gru-2 rnn-1 rnn-2; do grep -q "runs/$data/$cell" "report/$data.html" || { echo "$data: no $cell"; return 1; }; done
        [ -d "best/$data" ] && [ -s "best/$data.json" ] || { echo "$data: no best"; return 1; }
    done
}
cells() { for data in "$@"; do printf '%s ' "$data/gru-1" "$data/gru-2" "$data/rnn-1" "$data/rnn-2"; done; }

ok trains_every_cell_once remade "$(cells couplets mine verses)"
ok puts_all_cells_of_a_data_set_on_a_page pages verses couplets mine
ok second_run_does_nothing remade ''
touch data/couplets.safetensors
ok data_set_that_is_new_makes_its_own_cells_anew remade "$(cells couplets)"
echo more >> 'texts/mine/a 文.txt'
ok text_that_has_changed_makes_its_own_cells_anew remade "$(cells mine)"
printf 'two more\n' > texts/mine/b.txt
ok text_that_is_new_makes_its_own_cells_anew remade "$(cells mine)"
rm runs/verses/gru-2/result.json
ok cell_that_was_stopped_goes_on_alone remade 'verses/gru-2 '
echo '{"steps": 4}' > train.json
ok settings_that_have_changed_make_all_anew remade "$(cells couplets mine verses)"
