#!/bin/sh
# repro.sh - the same command gives the same bytes: sha256 of model and state for thread counts, instruction sets,
# compilers, another machine, frequent and rare saves, and after kill -9 at chosen and at random moments with --resume.
work=$(mktemp -d "${TG_TEST_TMP:-${TMPDIR:-/tmp}}/repro-XXXXXX") || exit 2
trap 'rm -rf "$work"' EXIT
: "${BUILD:=build}"
MAKE=${MAKE:-make}
gen-collect synth:verses --max-bytes 18k --licence CC0-1.0 -o "$work/corpus" -q 2>/dev/null &&
gen-preprocess "$work/corpus" -o "$work/x.safetensors" -q || { echo "not ok repro: no data"; exit 1; }

# train DIR BIN ARGS...: under, where it is set, is a command to run it under
under=
train()
{
    dir=$1 bin=$2
    shift 2
    $under "$bin" --data "$work/x.safetensors" --model lstm --layers 2 --hidden 20 --batch 6 --seq 12 --steps 60 --dropout 0.1 \
        --eval-every 20 --sample-every 0 -q -o "$work/$dir" "$@" 2> "$work/$dir.err"
}
sums() { (cd "$work/$1" && sha256sum model.safetensors state.safetensors) 2>&1; }
# same NAME DIR: its sums are those of the first run
same()
{
    if [ "$(sums "$2")" = "$want" ]; then echo "ok $1"; else echo "not ok $1: other bytes; $(head -c 200 "$work/$2.err")"; fi
    rm -rf "${work:?}/$2"
}

train base gen-train --threads 1 || { echo "not ok repro: $(cat "$work/base.err")"; exit 1; }
want=$(sums base)
for n in 2 3 7; do train t gen-train --threads $n; same "repro_threads_$n" t; done
for isa in scalar avx2 avx512 neon; do
    if TG_ISA=$isa gen-train --version > /dev/null 2>&1; then
        TG_ISA=$isa train isa gen-train; same "repro_isa_$isa" isa
    else
        echo "skip repro_isa_$isa: not on this machine"
    fi
done
for n in 1 1000; do train s gen-train --save-every $n; same "repro_save_every_$n" s; done
for lang in tr_TR.UTF-8 C; do LC_ALL=$lang TZ=Asia/Tokyo train l gen-train; same "repro_locale_$lang" l; done

# ten kills at the N-th call of a save (open, write, fsync, rename ...): before, in and after
n=3
for k in 1 2 3 4 5 6 7 8 9 10; do
    rm -rf "$work/k"
    TG_FAULT=kill:$n train k gen-train --save-every 7
    code=$?
    if [ $code -ne 137 ]; then echo "not ok repro_kill_$k: not killed, exit $code"; else
        train k gen-train --save-every 7 --resume && same "repro_kill_$k" k || echo "not ok repro_kill_$k: $(cat "$work/k.err")"
    fi
    n=$((n + 13))
done

# ten kills at random moments of a run that saves after every step, then the rest of it. Whatever the moment, first step to
# last, the bytes are those of the unbroken run; which moments they were is random and printed.
if command -v timeout > /dev/null 2>&1; then
    start=$(date +%s%N)
    train k gen-train --save-every 1
    whole=$((($(date +%s%N) - start) / 1000))
    killed=0 moments=''
    for k in 1 2 3 4 5 6 7 8 9 10; do
        rm -rf "$work/k"
        at=$(awk -v w="$whole" -v seed="$$$k" 'BEGIN { srand(seed + w); printf "%.6f", w * rand() / 1e6 }')
        under="timeout -s KILL $at"
        train k gen-train --save-every 1
        [ $? -eq 137 ] && killed=$((killed + 1)) moments="$moments $at"
        under=
        train k gen-train --save-every 1 --resume && same "repro_random_kill_$k" k ||
            echo "not ok repro_random_kill_$k: killed after $at s; $(cat "$work/k.err")"
    done
    echo "killed $killed of 10 at random moments of $whole us:$moments"
else
    echo "skip repro_random_kill: no timeout"
fi

# other NAME CC [FLAGS]: a build of another compiler
other()
{
    name=$1 cc=$2
    shift 2
    command -v "$cc" > /dev/null 2>&1 || { echo "skip repro_$name: no $cc"; return; }
    if ! $MAKE -s -j2 CC="$cc" BUILD="$BUILD/$name" "$@" all > "$work/build.log" 2>&1; then
        echo "not ok repro_$name: does not build; $(tail -n 1 "$work/build.log")"
        return
    fi
    train c "$BUILD/$name/bin/gen-train"
    same "repro_$name" c
}
other gcc gcc
other clang clang
if command -v qemu-aarch64-static > /dev/null 2>&1 && command -v aarch64-linux-gnu-gcc > /dev/null 2>&1; then
    if $MAKE -s -j2 CC=aarch64-linux-gnu-gcc LDFLAGS=-static BUILD="$BUILD/aarch64" all > "$work/build.log" 2>&1; then
        for isa in neon scalar; do
            printf '#!/bin/sh\nTG_ISA=%s exec qemu-aarch64-static "%s/aarch64/bin/gen-train" "$@"\n' $isa "$(cd "$BUILD" && pwd)" > "$work/q"
            chmod +x "$work/q"
            train a "$work/q"
            same "repro_aarch64_$isa" a
        done
    else
        echo "not ok repro_aarch64: does not build; $(tail -n 1 "$work/build.log")"
    fi
else
    echo "skip repro_aarch64: no cross compiler or qemu"
fi
