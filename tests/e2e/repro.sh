#!/bin/sh
# repro.sh - the same command gives the same bytes: sha256 of model, state and what is sampled, for thread counts,
# instruction sets, compilers, another machine, locales, frequent and rare saves, and after kill -9 at chosen and at random
# moments with --resume. Several kinds of models, so that every op and every optimiser setting takes part.
work=$(mktemp -d "${TG_TEST_TMP:-${TMPDIR:-/tmp}}/repro-XXXXXX") || exit 2
trap 'rm -rf "$work"' EXIT
: "${BUILD:=build}"
MAKE=${MAKE:-make}
kinds='lstm gru rnn gpt2 llama vae cvae gan wgan adapter frozen'
gen-collect synth:verses --max-bytes 18k --licence CC0-1.0 -o "$work/corpus" -q 2>/dev/null &&
gen-preprocess "$work/corpus" -o "$work/x.safetensors" -q &&
gen-collect synth:shapes --limit 300 -o "$work/shapes" -q 2>/dev/null &&
gen-preprocess "$work/shapes" -o "$work/images.safetensors" --size 13 -q 2>/dev/null || { echo "not ok repro: no data"; exit 1; }

# What is gone on from, in another vocabulary
gen-collect synth:couplets --max-bytes 6k --licence CC0-1.0 -o "$work/zh" -q 2>/dev/null &&
gen-preprocess "$work/zh" -o "$work/zh.safetensors" -q &&
gen-train --data "$work/zh.safetensors" --model transformer --layers 2 --heads 2 --dim 24 --context 20 --steps 5 -o "$work/first" -q ||
    { echo "not ok repro: no model to go on from"; exit 1; }

options()
{
    case $1 in
    lstm) echo --model lstm --layers 2 --hidden 20 --batch 6 --seq 12 --steps 60 --dropout 0.1 --eval-every 20 ;;
    gru) echo --model gru --layers 2 --hidden 33 --embed 17 --layer-norm --batch 5 --seq 9 --steps 40 --accum 2 --ema 0.9 \
        --optimizer adamw --weight-decay 0.1 --schedule cosine --eval-every 10 ;;
    rnn) echo --model rnn --layers 1 --hidden 48 --tie --activation relu --batch 3 --seq 20 --steps 40 --optimizer sgd \
        --nesterov --lr 0.1 --dropout 0.2 --eval-every 15 ;;
    gpt2) echo --model transformer --norm layer --pos learned --act gelu --bias --layers 2 --heads 2 --dim 22 --context 19 \
        --batch 5 --steps 40 --dropout 0.1 --optimizer adamw --weight-decay 0.1 --eval-every 15 ;;
    llama) echo --model transformer --layers 2 --heads 4 --kv-heads 2 --dim 40 --context 24 --batch 4 --steps 40 --accum 2 \
        --qk-norm --no-tie --ema 0.9 --schedule cosine --optimizer muon --muon-lr 4e-3 --weight-decay 0.1 --eval-every 10 ;;
    vae) echo --model vae --hidden 40 --layers 2 --act tanh --latent 5 --draws 3 --batch 16 --steps 60 --binarize dynamic \
        --kl-warmup 30 --eval-every 20 ;;
    cvae) echo --model vae --arch conv --channels 6 --hidden 24 --latent 3 --likelihood logistic --batch 12 --accum 2 --steps 30 \
        --ema 0.9 --no-labels --eval-every 10 ;;
    gan) echo --model gan --channels 5 --latent 6 --batch 10 --steps 25 --eval-every 10 ;;
    adapter) echo --model transformer --init "$work/first" --map-vocab --lora-rank 3 --batch 4 --accum 2 --steps 30 --dropout 0.1 \
        --ema 0.9 --freeze layers.0.mlp --eval-every 10 ;;
    frozen) echo --model transformer --init "$work/first" --map-vocab --freeze all,-layers.1,-norm --batch 4 --steps 30 \
        --eval-every 10 ;;
    wgan) echo --model gan --arch mlp --hidden 9 --latent 4 --loss wgan-gp --critic 2 --batch 8 --steps 25 --ema 0 --eval-every 10 ;;
    esac
}

# train KIND DIR ARGS...: under, where it is set, is a command to run it under; bins, a folder of programs
under='' bins=''
train()
{
    kind=$1 dir=$2
    shift 2
    case $kind in *vae | *gan) data=images ;; *) data=x ;; esac
    # shellcheck disable=SC2046
    $under "${bins}gen-train" --data "$work/$data.safetensors" $(options "$kind") --sample-every 0 -q -o "$work/$dir" "$@" \
        2> "$work/$dir.err"
}
# sums DIR [THREADS]: of its model, its state and what it writes
sums()
{
    (cd "$work/$1" && sha256sum model.safetensors state.safetensors && if [ -f adapter.safetensors ]; then sha256sum adapter.safetensors; fi &&
        if grep -q '"model": "[vg]a[en]"' config.json; then "${bins}gen-sample" . --threads "${2:-1}" -n 9 -o - --format npy
        else "${bins}gen-sample" . --threads "${2:-1}" -n 2 --length 150 --top-p 0.9 --repeat-penalty 1.1; fi | sha256sum) 2>&1
}
# same NAME KIND DIR [THREADS]
same()
{
    if [ "$(sums "$3" "$4")" = "$(cat "$work/want.$2")" ]; then echo "ok $1"
    else echo "not ok $1: other bytes; $(head -c 200 "$work/$3.err")"; fi
    rm -rf "${work:?}/$3"
}
# each NAME ARGS...: all kinds
each()
{
    name=$1
    shift
    for kind in $kinds; do train "$kind" e "$@"; same "repro_${name}_$kind" "$kind" e 2; done
}

for kind in $kinds; do
    train "$kind" base --threads 1 || { echo "not ok repro: $(cat "$work/base.err")"; exit 1; }
    sums base > "$work/want.$kind"
    rm -rf "$work/base"
done
for n in 2 3 7; do each "threads_$n" --threads $n; done
for isa in scalar avx2 avx512 neon; do
    if TG_ISA=$isa gen-train --version > /dev/null 2>&1; then
        export TG_ISA=$isa
        each "isa_$isa"
        unset TG_ISA
    else
        echo "skip repro_isa_$isa: not on this machine"
    fi
done
for n in 1 1000; do each "save_every_$n" --save-every $n; done
for lang in tr_TR.UTF-8 C; do (export LC_ALL=$lang TZ=Asia/Tokyo; each "locale_$lang"); done

# ten kills at the N-th call of a save (open, write, fsync, rename ...): before, in and after
n=3
for k in 1 2 3 4 5 6 7 8 9 10; do
    rm -rf "$work/k"
    case $((k % 6)) in 0) kind=gru ;; 1) kind=lstm ;; 2) kind=cvae ;; 3) kind=gan ;; 4) kind=adapter ;; *) kind=llama ;; esac
    TG_FAULT=kill:$n train $kind k --save-every 7
    code=$?
    if [ $code -ne 137 ]; then echo "not ok repro_kill_$k: not killed, exit $code"; else
        train $kind k --save-every 7 --resume && same "repro_kill_$k" $kind k || echo "not ok repro_kill_$k: $(cat "$work/k.err")"
    fi
    n=$((n + 13))
done

# ten kills at random moments of a run that saves after every step, then the rest of it. Whatever the moment, first step to
# last, the bytes are those of the unbroken run; which moments they were is random and printed.
cat > "$work/killed_after" <<'SCRIPT'
# killed_after SECONDS COMMAND...: ends when the command is dead and buried, its lock gone with it.
at=$1
shift
"$@" & child=$!
(sleep "$at"; kill -KILL $child) 2> /dev/null & killer=$!
wait $child
code=$?
kill $killer 2> /dev/null
exit $code
SCRIPT
if sleep 0.01 2> /dev/null; then
    whole=999999999
    for k in 1 2 3; do # the least of three: a run that something else slows would set the moments behind the end
        rm -rf "$work/k"
        start=$(date +%s%N)
        train lstm k --save-every 1
        took=$((($(date +%s%N) - start) / 1000))
        [ $took -lt $whole ] && whole=$took
    done
    killed=0 moments=''
    for k in 1 2 3 4 5 6 7 8 9 10; do
        rm -rf "$work/k"
        at=$(awk -v w="$whole" -v seed="$$$k" 'BEGIN { srand((seed * 7919 + w) % 2147483647); rand(); printf "%.6f", w * rand() / 1e6 }')
        under="sh $work/killed_after $at"
        train lstm k --save-every 1
        [ $? -eq 137 ] && killed=$((killed + 1)) moments="$moments $at"
        under=''
        train lstm k --save-every 1 --resume && same "repro_random_kill_$k" lstm k ||
            echo "not ok repro_random_kill_$k: killed after $at s; $(cat "$work/k.err")"
    done
    echo "killed $killed of 10 at random moments of $whole us:$moments"
else
    echo "skip repro_random_kill: sleep knows whole seconds only"
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
    bins=$(cd "$BUILD/$name/bin" && pwd)/
    each "$name"
    bins=''
}
other gcc gcc
other clang clang
if command -v qemu-aarch64-static > /dev/null 2>&1 && command -v aarch64-linux-gnu-gcc > /dev/null 2>&1; then
    if $MAKE -s -j2 CC=aarch64-linux-gnu-gcc LDFLAGS=-static BUILD="$BUILD/aarch64" all > "$work/build.log" 2>&1; then
        for isa in neon scalar; do
            mkdir -p "$work/q"
            for tool in gen-train gen-sample; do
                printf '#!/bin/sh\nTG_ISA=%s exec qemu-aarch64-static "%s/aarch64/bin/%s" "$@"\n' $isa "$(cd "$BUILD" && pwd)" \
                    $tool > "$work/q/$tool"
                chmod +x "$work/q/$tool"
            done
            bins=$work/q/
            each "aarch64_$isa"
            bins=''
        done
    else
        echo "not ok repro_aarch64: does not build; $(tail -n 1 "$work/build.log")"
    fi
else
    echo "skip repro_aarch64: no cross compiler or qemu"
fi
