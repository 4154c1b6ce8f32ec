#!/bin/sh
# kill_points.sh - a short run is killed before its first, second, third ... system call that touches a file, then resumed:
# model, state, log (but for times) and result must be those of the run that nobody killed. So every moment of a save is
# tried, and of starting and ending, too.
work=$(mktemp -d "${TG_TEST_TMP:-${TMPDIR:-/tmp}}/killpoints-XXXXXX") || exit 2
trap 'rm -rf "$work"' EXIT
gen-collect synth:verses --max-bytes 2k --licence CC0-1.0 -o "$work/corpus" -q 2>/dev/null &&
gen-preprocess "$work/corpus" -o "$work/x.safetensors" -q || { echo "not ok kill_points: no data"; exit 1; }

train()
{
    # shellcheck disable=SC2086
    gen-train --data "$work/x.safetensors" $model --batch 2 --seq 8 --steps 3 --eval-every 1 \
        --sample-every 2 --save-every 1 --threads 1 -q -o "$work/run" "$@" 2> "$work/err"
}
# What must be the same: bytes of model and state, samples, log and result without times, rates and memory.
facts()
{
    (cd "$work/run" && sha256sum model.safetensors state.safetensors samples/*.txt &&
        sed 's/"tokens_per_second": [^,}]*//; s/"seconds": [^,}]*//; s/"gflops": [^,}]*//; s/"peak_[a-z]*": [^,}]*//' \
            log.jsonl result.json && find . -name '.*tmp*' -o -name '*next*') 2>&1
}

# every_point NAME OPTIONS...
every_point()
{
    name=$1
    shift
    model=$*
    rm -rf "$work/run"
    train || { echo "not ok kill_points_$name: $(cat "$work/err")"; return 1; }
    want=$(facts)
    n=0 bad=0
    while :; do
        n=$((n + 1))
        rm -rf "$work/run"
        TG_FAULT=kill:$n train
        code=$?
        [ $code -eq 0 ] && break
        [ $code -eq 137 ] || { echo "not ok kill_points_$name: call $n: exit $code; $(cat "$work/err")"; return 1; }
        train --resume ||
            { echo "not ok kill_points_$name: after a kill before call $n: $(cat "$work/err")"; bad=$((bad + 1)); continue; }
        if [ "$(facts)" != "$want" ]; then
            bad=$((bad + 1))
            echo "not ok kill_points_$name: after a kill before call $n the resumed run differs"
            facts > "$work/got"
            echo "$want" | diff - "$work/got" | head -n 4
        fi
    done
    echo "killed before each of $((n - 1)) calls"
    [ $bad -eq 0 ] && echo "ok kill_points_${name}_the_resumed_run_equals_the_unbroken_one"
}

failed=0
every_point gru --model gru --layers 1 --hidden 4 || failed=1
every_point transformer --model transformer --layers 1 --heads 2 --dim 8 --context 8 || failed=1
exit $failed
