#!/bin/sh
# tune_backends.sh - one search by local processes, by make, by GNU parallel and by a Slurm that is started for it: the same bytes
# of models, states, ranking and best settings, from a folder and data whose names would be commands in a shell. Then Slurm's own:
# a trial that is killed, a search that is killed and finds its array again, one that never comes back. SOAK=1: sixteen trials.
trials=4 steps=60 long=900
[ -z "$SOAK" ] || trials=16 long=3000
top=$(mktemp -d "${TG_TEST_TMP:-${TMPDIR:-/tmp}}/tunebackends-XXXXXX") || exit 2
trap 'sh tests/support/slurm.sh stop "$top/slurm"; rm -rf "$top"' EXIT
trap 'exit 130' INT TERM HUP # EXIT alone is not told of them
# shellcheck disable=SC2016
work="$top/"'$(touch PWNED) `touch PWNED`; touch PWNED #"'"'
%j 试验"
data="$work/"'$(touch PWNED) "数据".safetensors'
mkdir "$work" && gen-collect synth:verses --max-bytes 12k --licence CC0-1.0 -o "$top/corpus" -q 2> /dev/null &&
gen-preprocess "$top/corpus" -o "$data" -q || { echo "not ok tune_backends: no data"; exit 1; }

# search NAME BACKEND OPTIONS...
search()
{
    name=$1 backend=$2
    shift 2
    [ "$backend" = slurm ] || set -- "$@" --jobs 2
    gen-tune search --data "$data" --model gru --layers 1 --hidden 8 --embed 8 --batch 4 --seq 16 --eval-every 30 \
        --save-every 20 --sample-every 0 --threads 1 --backend "$backend" -q -o "$work/$name" "$@" > "$top/out" 2> "$top/err"
}
random() { search "$1" "$2" --space lr=1e-3:1e-1:log --space dropout=0,0.2 --trials $trials --steps $steps; }
grid() { search "$1" "$2" --strategy grid --space lr=1e-3:1e-1:log:2 --space dropout=0,0.2 --steps $steps; }
slow() { search "$1" "$2" --space lr=1e-3:1e-1:log --trials $trials --steps $long; }
facts() { (cd "$work/$1" && sha256sum ranking.json best.json trials/*/model.safetensors trials/*/state.safetensors) 2>&1; }

# same NAME STUDY WANTED: that the study has come to the same as another
same()
{
    if [ "$(facts "$2")" = "$(facts "$3")" ]; then echo "ok $1"
    else echo "not ok $1: other bytes, or fewer; $(head -c 300 "$top/err")"; fi
}
# each BACKEND: random and grid
each()
{
    for kind in random grid; do
        $kind "$kind-$1" "$1" || { echo "not ok tune_${kind}_by_$1: $(cat "$top/err")"; continue; }
        same "tune_${kind}_by_$1_comes_to_the_same_bytes_as_by_local" "$kind-$1" "$kind-local"
    done
}
# running STUDY TRIAL: the process that is at it; waits for one
running()
{
    pid=
    while [ -z "$pid" ] && kill -0 "$search"; do
        pid=$(sed -n 's/^pid \([0-9]*\) on .*/\1/p' "$work/$1/trials/$2/run.lock" 2> /dev/null)
    done
}
# Numbers of the arrays that a study had.
arrays() { (cd "$work/$1/slurm" && ls) | sed -n 's/_.*//p' | sort -u | wc -l; }
ends() { grep -c '"event": "end"' "$work/$1/study.jsonl"; }

for kind in random grid; do $kind $kind-local local || { echo "not ok tune_backends: $(cat "$top/err")"; exit 1; }; done

each make
if (cd "$work/random-make" && make -j2) 2>&1 | grep -q "Nothing to be done"; then echo "ok tune_make_a_second_time_does_nothing"
else echo "not ok tune_make_a_second_time_does_nothing"; fi

if parallel --version 2> /dev/null | grep -q '^GNU parallel'; then each parallel
else echo "skip tune_parallel: no GNU parallel"; fi

# It looks for work once a second: with a core for each trial an array is one look long.
if why=$(CPUS=$trials sh tests/support/slurm.sh start "$top/slurm"); then
    SLURM_CONF=$top/slurm/slurm.conf
    export SLURM_CONF
    each slurm
    # Of these it is read what Slurm writes of its jobs, which it does not for a folder with a % or \ in its name.
    work=$top/shared
    mkdir "$work"
    slow want local || echo "not ok tune_slurm: $(cat "$top/err")"

    slow killed slurm &
    search=$!
    running killed 0001
    kill -9 "$pid"
    wait $search
    same tune_slurm_runs_a_trial_that_was_killed_again killed want
    if [ "$(arrays killed)" = 2 ] && [ "$(ends killed)" = $trials ]; then echo "ok tune_slurm_runs_nothing_else_again"
    else echo "not ok tune_slurm_runs_nothing_else_again: $(arrays killed) arrays, $(ends killed) ends"; fi

    slow left slurm &
    search=$!
    running left 0001
    kill -9 "$(sed -n 's/^pid \([0-9]*\) on .*/\1/p' "$work/left/study.lock")"
    wait $search 2> /dev/null
    slow left slurm
    same tune_slurm_finds_the_array_of_a_search_that_was_killed left want
    if [ "$(arrays left)" = 1 ]; then echo "ok tune_slurm_submits_no_trial_twice"
    else echo "not ok tune_slurm_submits_no_trial_twice: $(arrays left) arrays"; fi

    slow gone slurm &
    search=$!
    running gone 0001
    kill -9 "$(sed -n 's/^pid \([0-9]*\) on .*/\1/p' "$work/gone/study.lock")"
    wait $search 2> /dev/null
    while [ -n "$(squeue --noheader)" ]; do :; done
    same tune_slurm_gathers_where_the_search_has_gone gone want
else
    echo "skip tune_slurm: $why"
fi
if [ -z "$(find . "$top" -name PWNED)" ]; then echo "ok tune_no_name_is_a_command"
else echo "not ok tune_no_name_is_a_command"; fi
