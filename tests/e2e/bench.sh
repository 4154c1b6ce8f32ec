#!/bin/sh
# bench.sh - the bench measures, writes a file that reads back, and its comparison tells slower from the same.
work=$(mktemp -d "${TG_TEST_TMP:-${TMPDIR:-/tmp}}/bench-XXXXXX") || exit 2
trap 'rm -rf "$work"' EXIT
bench=$TG_BIN/bench

# tell NAME STATUS: a line for the test runner
tell()
{
    if [ "$2" -eq 0 ]; then echo "ok $1"; else echo "not ok $1: $(tail -n 1 "$work/out")"; fi
}

"$bench" -r 2 --bin "$TG_BIN" --json "$work/new.json" '64 x 32 x 64' > "$work/out" 2>&1
tell bench_measures $?
grep -q '64 x 32 x 64 NN GPT 128 head pv  .* GFLOP/s .* % of fma' "$work/out"
tell bench_prints_rate_and_share $?
"$bench" -r 1 --bin "$TG_BIN" --json "$work/sampling.json" 'from the cache, GPT' 'first token, GPT' > "$work/out" 2>&1 &&
    grep -q 'from the cache, GPT 4x128 .* tokens/s .* % of reading [0-9]* KiB' "$work/out" &&
    grep -q 'exec to first token, GPT 4x128 .* ms' "$work/out" && grep -q '"exec to first token, GPT 4x128"' "$work/sampling.json"
tell bench_samples_from_a_transformer $?
"$bench" -r 1 --bin "$TG_BIN" --json "$work/images.json" 'DCGAN 28x28' > "$work/out" 2>&1 &&
    grep -q 'DCGAN 28x28, 64 and 128 channels, batch 64 *1 *[0-9.]* *images/s .* % of fma' "$work/out"
tell bench_trains_an_image_model $?
"$bench" --compare "$work/new.json" "$work/new.json" > "$work/out" 2>&1 && grep -q 'geometric mean 1.000x' "$work/out" &&
    ! grep -q SLOWER "$work/out"
tell bench_compared_with_itself_is_the_same $?
sed 's/"median": [0-9.e+]*/"median": 1e6/g; s/"low": [0-9.e+]*/"low": 9e5/g; s/"high": [0-9.e+]*/"high": 2e6/g' "$work/new.json" > "$work/old.json"
"$bench" --compare "$work/old.json" "$work/new.json" > "$work/out" 2>&1 && grep -q '64 x 32 x 64 NN GPT 128 head pv .*SLOWER' "$work/out"
tell bench_sees_what_is_slower $?
echo '{"rows": 1}' > "$work/old.json"
"$bench" --compare "$work/old.json" "$work/new.json" > "$work/out" 2>&1
[ $? -eq 1 ] && grep -q 'old.json: no rows' "$work/out"
tell bench_refuses_what_is_no_bench_file $?

# peer NAME SCRIPT ARGS...: PyTorch's step says that it is ready and answers with a rate
peer()
{
    name=$1 script=tests/bench/peers/$2; shift 2
    echo go | /usr/bin/python3 "$script" "$@" > "$work/out" 2>&1
    awk 'NR == 1 && $0 != "ready" { exit 1 } NR == 2 && $1 > 0 { found = 1 } END { exit !found }' "$work/out"
    tell "$name" $?
}
if /usr/bin/python3 -c 'import torch' 2> /dev/null; then
    peer bench_peer_trains_a_recurrent_net torch_recurrent.py rnn 8 2 3 1 39
    peer bench_peer_trains_a_transformer torch_gpt.py 1 8 2 2 5 1 39
else
    echo "skip bench_peers: no PyTorch here"
fi
