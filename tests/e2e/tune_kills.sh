#!/bin/sh
# tune_kills.sh - a search whose programs are killed again and again, gen-tune and single trials by turns, at fixed points of its progress:
# it must come to what an unbroken one with --jobs 1 comes to: models, logs but for times, ranking and best settings. No trial may be
# lost, and none may end twice. ROUNDS=100 kills more often.
rounds=${ROUNDS:-10}
work=$(mktemp -d "${TG_TEST_TMP:-${TMPDIR:-/tmp}}/tunekills-XXXXXX") || exit 2
search=
trap 'kill -9 $search 2> /dev/null; rm -rf "$work"' EXIT
gen-collect synth:verses --max-bytes 12k --licence CC0-1.0 -o "$work/corpus" -q 2> /dev/null &&
gen-preprocess "$work/corpus" -o "$work/x.safetensors" -q || { echo "not ok tune_kills: no data"; exit 1; }

# search_in NAME OPTIONS...
search_in()
{
    name=$1
    shift
    gen-tune search --data "$work/x.safetensors" --model gru --layers 1 --embed 8 --batch 4 --seq 16 --steps 180 --eval-every 10 \
        --save-every 20 --space lr=1e-3:1e-1:log --space hidden=8,16,24 --threads 1 -q -o "$work/$name" "$@" > /dev/null 2> "$work/err"
}
facts()
{
    (cd "$work/$1" && sha256sum trials/*/model.safetensors trials/*/state.safetensors best.json ranking.json &&
        sed 's/"tokens_per_second": [^,}]*//; s/"seconds": [^,}]*//; s/"peak_[a-z]*": [^,}]*//' trials/*/log.jsonl) 2>&1
}
ends()
{
    ends=$(grep -s '"event": "end"' "$work/$1/study.jsonl" | wc -l)
}
# The process of the newest trial that runs.
newest()
{
    # shellcheck disable=SC2012
    lock=$(ls "$work/$1"/trials/*/run.lock 2> /dev/null | tail -n 1)
    [ "$lock" ] && sed -n 's/^pid \([0-9]*\) on .*/\1/p' "$lock" 2> /dev/null
}

# strategy NAME OPTIONS...
strategy()
{
    what=$1 trials=0 lives=1
    shift
    search_in "one-$what" --jobs 1 "$@" || { echo "not ok tune_$what: $(cat "$work/err")"; return 1; }
    want=$(facts "one-$what")
    search_in "two-$what" --jobs 2 "$@" || { echo "not ok tune_$what: $(cat "$work/err")"; return 1; }
    if [ "$(facts "two-$what")" = "$want" ]; then echo "ok tune_${what}_two_jobs_at_once_come_to_the_same_bytes_as_one"
    else echo "not ok tune_${what}_two_jobs_at_once_come_to_the_same_bytes_as_one"; fi
    round=0 search=
    while [ $round -lt "$rounds" ]; do
        round=$((round + 1))
        if [ -z "$search" ]; then
            search_in "killed-$what" --jobs 2 "$@" &
            search=$!
        fi
        ends "killed-$what"
        while [ "$ends" -lt $round ] && kill -0 "$search" 2> /dev/null; do ends "killed-$what"; done
        kill -0 "$search" 2> /dev/null || break
        if [ $((round % 2)) = 1 ]; then
            # the shell's child is the search's parent
            victim=$(sed -n 's/^pid \([0-9]*\) on .*/\1/p' "$work/killed-$what/study.lock" 2> /dev/null)
            [ "$victim" ] && kill -9 "$victim" 2> /dev/null && lives=$((lives + 1))
            wait "$search" 2> /dev/null
            search=
        else
            victim=$(newest "killed-$what")
            [ "$victim" ] && kill -9 "$victim" 2> /dev/null && trials=$((trials + 1))
        fi
    done
    [ "$search" ] && wait "$search"
    search=
    search_in "killed-$what" --jobs 2 "$@" || { echo "not ok tune_$what: after kills: $(cat "$work/err")"; return 1; }
    twice=$(sed -n 's/.*"event": "end", "job": \([0-9]*\),.*/\1/p' "$work/killed-$what/study.jsonl" | sort | uniq -d)
    echo "$lives sessions, $trials trials killed"
    facts "killed-$what" > "$work/got"
    if [ "$(cat "$work/got")" = "$want" ] && [ -z "$twice" ] && [ "$lives" -gt 1 ]; then
        echo "ok tune_${what}_killed_again_and_again_comes_to_the_same_bytes"
    else
        echo "not ok tune_${what}_killed_again_and_again_comes_to_the_same_bytes: ends twice: ${twice:-none}"
        echo "$want" | diff - "$work/got" | head -n 6
    fi
}

strategy random --strategy random --trials $((rounds + 2))
strategy grid --strategy grid
strategy tpe --strategy tpe --trials $((rounds + 2))
strategy asha --strategy asha --trials $((rounds > 7 ? rounds + 2 : 9)) # in three rungs, of 20, 60 and 180 steps

# Asked to end, it has its trials save themselves, waits for them, and says how to go on; so it does at the end of its budget.
long()
{
    gen-tune search --data "$work/x.safetensors" --model gru --layers 1 --hidden 8 --batch 4 --seq 16 --steps 10000000 --eval-every 10 \
        --eval-share 0 --space lr=1e-3,1e-2 --strategy grid --jobs 2 -q -o "$work/long" "$@" 2> "$work/err"
}
left()
{
    # shellcheck disable=SC2012
    left=$(ls "$work"/long/trials/*/run.lock 2> /dev/null | wc -l) saved=$(ls "$work"/long/trials/*/state.safetensors 2> /dev/null | wc -l)
}
long &
search=$!
for trial in 0000 0001; do
    while [ ! -s "$work/long/trials/$trial/log.jsonl" ]; do kill -0 $search 2> /dev/null || break; done
done
kill -TERM "$(sed -n 's/^pid \([0-9]*\) on .*/\1/p' "$work/long/study.lock")"
wait $search
code=$? search=
left
if [ $code -eq 143 ] && [ "$left" -eq 0 ] && [ "$saved" -eq 2 ] && grep -q 'what ran is saved; the same command goes on' "$work/err"; then
    echo "ok tune_term_has_all_trials_save_themselves_and_exits_143"
else
    echo "not ok tune_term: exit $code, $left left, $saved saved, $(cat "$work/err")"
fi
spent=$(sed -n '$s/.*"elapsed": \([0-9]*\).*/\1/p' "$work/long/study.jsonl")
long --budget $((spent + 2)) # of all sessions: one or two seconds are left
code=$?
left
if [ $code -eq 0 ] && [ "$left" -eq 0 ] && [ "$(grep -c '"start"' "$work/long/study.jsonl")" -eq 4 ] && grep -q 'budget is used up after 0 jobs; the same command with a larger --budget goes on' "$work/err"; then
    echo "ok tune_budget_stops_what_runs_and_says_how_to_go_on"
else
    echo "not ok tune_budget: exit $code, $left left, $(cat "$work/err")"
fi
