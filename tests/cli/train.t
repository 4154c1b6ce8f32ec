# gen-train: messages and exit codes
$ gen-collect synth:verses --max-bytes 12k --licence CC0-1.0 -o corpus -q
$ gen-preprocess corpus -o x.safetensors -q
$ gen-collect synth:couplets --max-bytes 6k --licence CC0-1.0 -o zh -q
$ gen-preprocess zh -o zh.safetensors -q
$ gen-train --data nothing.safetensors --model lstm -o a
!~ gen-train: .*nothing\.safetensors.*
? 1
$ gen-train --data corpus --model lstm -o a
! gen-train: corpus: a folder, no dataset; make one of a corpus: gen-preprocess corpus -o x.safetensors
? 1
$ gen-train --data corpus/items/000001.txt --model lstm -o a
! gen-train: corpus/items/000001.txt: no dataset, a file of another kind; gen-collect takes it into a corpus, of which gen-preprocess makes one
? 1
$ gen-train --model lstm --data x.safetensors
! gen-train: -o RUN is missing: the run folder to make
? 2
$ gen-train --data x.safetensors -o a
! gen-train: --model NAME is missing; there are ngram, rnn, lstm, gru, transformer, vae, gan
? 2
$ gen-train --data x.safetensors --preset gpt -o a
! gen-train: there is no preset gpt; there are: gpt-tiny, gpt-small, gpt-baby, llama-tiny, vae-mnist
? 2
$ gen-train --data x.safetensors --preset gpt-tiny --model lstm -o a
! gen-train: --preset gpt-tiny is a transformer; leave --model out
? 2
$ gen-train --data x.safetensors --preset llama-tiny --layers 1 --steps 2 -o preset -q && grep -o '"model": "[a-z]*"\|"layers": [0-9]*\|"kv_heads": [0-9]*\|"clip": [0-9]*\|"seq": [0-9]*\|"optimizer": "[a-z]*"' preset/config.json | tr '\n' ' '
< "model": "transformer" "seq": 128 "optimizer": "muon" "clip": 1 "layers": 1 "kv_heads": 2 
# A run goes on with its own preset, and not with another that is given by mistake.
$ gen-train --preset gpt-baby --layers 1 --steps 2 -o preset --resume -q
! gen-train: preset cannot go on: its setting batch is 16, but now it would be 64; give --batch 16, start anew with --force, or go on elsewhere with --init preset -o OTHER
? 1
$ gen-train --preset llama-tiny --layers 1 --steps 2 -o preset --resume
! preset has ended already, after step 2; nothing is changed
$ gen-train -o preset --resume --steps 3 -q && grep -o '"steps": [0-9]*' preset/config.json
< "steps": 3
$ gen-train --data x.safetensors --model transformer --context 16 --seq 32 -o a
! gen-train: --seq 32 is more than the model sees at once; give it --context 32
? 2
$ gen-train --data x.safetensors --model lsmt -o a
!~ gen-train: .*lsmt.*lstm.*
? 2
$ gen-train --data x.safetensors --model lstm --stepz 5 -o a
!~ gen-train: unknown option --stepz .*--steps.*
? 2
$ gen-train --data x.safetensors --model lstm --steps abc -o a
!~ gen-train: .*--steps.*abc.*
? 2
$ gen-train --data x.safetensors --model lstm --batch 200 --seq 500 -o a
!~ gen-train: .*(--batch|--seq).*
? 1
$ printf 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' > one.txt
$ gen-collect one.txt --licence CC0-1.0 -o one -q
$ gen-preprocess one -o one.safetensors -q
$ gen-train --data one.safetensors --model lstm --batch 1 --seq 5 -o a
!~ gen-train: .*single symbol.*
? 1
$ head -c 900 x.safetensors > cut.safetensors
$ gen-train --data cut.safetensors --model lstm -o a
!~ gen-train: .*cut\.safetensors.*
? 1
$ gen-train --data x.safetensors --model lstm --hidden 16 --batch 4 --seq 10 --steps 20 --eval-every 10 -o a -q
$ gen-train --data x.safetensors --model lstm --hidden 16 --batch 4 --seq 10 --steps 20 --eval-every 10 -o a -q
!~ gen-train: .*--resume.*
? 1
$ gen-train --data x.safetensors --model lstm --hidden 16 --batch 4 --seq 10 --steps 20 --eval-every 10 -o a -q --resume
$ gen-train --data x.safetensors --model lstm --hidden 24 --batch 4 --seq 10 --steps 20 --eval-every 10 -o a -q --resume
!~ gen-train: .*hidden.*16.*24.*|gen-train: .*hidden.*24.*16.*
? 1
$ gen-train --data zh.safetensors --model lstm --hidden 16 --batch 4 --seq 10 --steps 20 --init a -o b -q
!~ gen-train: .*vocabular.*
? 1
$ ls b 2>/dev/null
? 2
$ cp -r a broken && printf 'X' | dd of=broken/state.safetensors bs=1 seek=9000 conv=notrunc 2>/dev/null && rm -f broken/state.prev.safetensors broken/result.json
$ gen-train --data x.safetensors --model lstm --hidden 16 --batch 4 --seq 10 --steps 20 --eval-every 10 -o broken -q --resume
!~ gen-train: .*broken/state\.safetensors.*
? 1
$ gen-train --data x.safetensors --model lstm --hidden 16 --batch 4 --seq 10 --steps 5 -q --json -o d > /dev/full
!~ gen-train: .*(No space left|standard output).*
? 1

# A damaged state: the one before is taken, and the end is the same.
$ gen-train --data x.safetensors --model lstm --hidden 16 --batch 4 --seq 10 --steps 20 --eval-every 10 --save-every 6 -o saved -q
$ printf 'X' | dd of=saved/state.safetensors bs=1 seek=9000 conv=notrunc 2>/dev/null && rm saved/result.json
$ gen-train --resume -o saved -q
!~ gen-train: warning: saved/state\.safetensors: .*; taking saved/state\.prev\.safetensors in its place
$ cmp a/model.safetensors saved/model.safetensors && cmp a/state.safetensors saved/state.safetensors && echo same
< same

# Resuming a run that has ended changes nothing; a lost model file comes back.
$ ls -l --time-style=full-iso a > before; gen-train --resume -o a -q --json > again.json; ls -l --time-style=full-iso a | cmp - before && echo same
< same
$ cmp again.json a/result.json && echo same
< same
$ cp a/model.safetensors kept && rm a/model.safetensors && gen-train --resume -o a -q && cmp kept a/model.safetensors && echo same
< same

# What may change on resume and what may not.
$ gen-train --resume -o a -q --steps 30
!~ gen-train: a cannot go on to step 30: its wsd schedule was laid out for 20 steps, .*--init a -o OTHER.*
? 1
$ gen-train --resume -o a -q --seed 9
!~ gen-train: a cannot go on: its setting seed is 1, but now it would be 9; give --seed 1, .*
? 1
$ gen-train --resume -o a -q --model gru
!~ gen-train: a cannot go on: its model is lstm, but now it would be gru; .*
? 1
$ gen-collect synth:verses --max-bytes 12k --seed 2 --licence CC0-1.0 -o corpus2 -q && gen-preprocess corpus2 -o y.safetensors -q
$ gen-train --resume -o a -q --data y.safetensors
!~ gen-train: .*(content hash|vocabular).*
? 1
$ gen-train --data x.safetensors --model rnn --hidden 8 --batch 4 --seq 10 --steps 10 --warmup 2 --schedule constant -o grow -q
$ gen-train --resume -o grow --steps 14 -q && tail -n 1 grow/log.jsonl | cut -c 1-11
< {"step": 14
$ gen-train --data x.safetensors --model rnn --hidden 8 --batch 4 --seq 10 --steps 14 --warmup 2 --schedule constant --eval-every 10 -o grown -q
$ cmp grow/model.safetensors grown/model.safetensors && echo same
< same

# A run is repeated from its config.json.
$ gen-train --config a/config.json -o b -q && cmp a/model.safetensors b/model.safetensors && cmp a/state.safetensors b/state.safetensors && echo same
< same

# Weights of another run; settings that are not given are its own.
$ gen-train --data x.safetensors --model lstm --init a --batch 4 --seq 10 --steps 5 -o from -q && grep -c '"hidden": 16' from/config.json
< 1
$ gen-train --data x.safetensors --model lstm --init a --hidden 17 --batch 4 --seq 10 --steps 5 -o from2 -q
!~ gen-train: --init a/model\.safetensors: the tensor embed\.weight is \[[0-9]+, 16\]; \[[0-9]+, 17\] was expected
? 1
$ gen-train --data x.safetensors --model gru --init a --steps 5 -o from3 -q
! gen-train: --init a: its model is lstm, not gru; give --model lstm
? 1

# A loss that runs away stops the run at once.
$ gen-train --data x.safetensors --model lstm --hidden 16 --batch 4 --seq 10 --steps 50 --lr 1e9 --warmup 0 -o nan -q
!~ gen-train: step [0-9]+: .*try a lower --lr.*
? 1
$ ls nan
< config.json
< log.jsonl
$ gen-train --data x.safetensors --model lstm --hidden 16 --batch 4 --seq 10 --steps 50 --lr 1e9 --warmup 0 --on-nan skip -o skip -q
!~ gen-train: warning: step 2: the (loss is far too high|loss is not finite|gradient is not finite); left out
!*
!~ gen-train: step [0-9]+: .* twenty times in a row; .*
? 1

# What is missing, and folders that are none of ours.
$ gen-train --model lstm -o c
! gen-train: --data FILE is missing: the dataset, as gen-preprocess writes it
? 2
$ gen-train --data x.safetensors -o c
! gen-train: --model NAME is missing; there are ngram, rnn, lstm, gru, transformer, vae, gan
? 2
$ gen-train --data x.safetensors --model lstm
! gen-train: -o RUN is missing: the run folder to make
? 2
$ mkdir mine && echo mine > mine/note && gen-train --data x.safetensors --model lstm -o mine --force
! gen-train: mine is there already and is not a run folder; give -o another name
? 1
$ gen-train --data x.safetensors --model lstm -o mine/note
! gen-train: mine/note is a file, not a run folder; give -o another name
? 1
$ gen-train --data x.safetensors --model lstm --tie --hidden 16 --embed 8 -o tied -q
! gen-train: --tie needs an embedding as wide as the layers, but --embed is 8 and --hidden 16
? 2
$ gen-train --data x.safetensors --model lstm --steps 5 --epochs 2 -o both -q
! gen-train: --steps and --epochs both say how long to train; give one of them
? 2

# Nothing is written by --dry-run.
$ gen-train --data x.safetensors --model lstm --dry-run
<~ ^model +lstm$
<~ ^parameters +[0-9,]+$
<*
<~ ^MFLOP a step +[0-9,]+$
<*
$ gen-train --data x.safetensors --model lstm --dry-run --json | grep -c '"params": [0-9]*, .*"settings": {'
< 1
$ gen-train --data x.safetensors --model lstm --dry-run --batch 5000 --seq 100
!~ gen-train: x\.safetensors: split train has .*smaller --batch or --seq.*
? 1
$ gen-train --model rnn --help | grep -c -- '--activation'
< 1

# A disk that fills while saving: the state before stays; with --keep-going training ends all the same.
$ TG_FAULT=write:8:ENOSPC gen-train --data x.safetensors --model lstm --hidden 16 --batch 4 --seq 10 --steps 20 --eval-every 10 --save-every 1 -o full -q
!~ gen-train: .*No space left on device.*
? 1
$ gen-train --resume -o full -q --steps 20 && cmp a/model.safetensors full/model.safetensors && echo same
< same

# Where the time went, for people and in the result.
$ gen-train --data x.safetensors --model lstm --hidden 16 --batch 4 --seq 10 --steps 8 --profile -o p
!*
!~ profile of 5 steps
!~ ms/step +share +GFLOP/s
!*
!~ [0-9.]+ +[0-9.]+ % +[0-9.]+  lstm backward \[10, 4, 16\]$
!*
!~ all else$
$ grep -c '"profile": \[{"op": "[a-z_ ]*", "pass": "[a-z]*", "shape": .*"calls": [0-9]*, "seconds": 0\.' p/result.json
< 1
# Five steps, two layers of one shape.
$ grep -o '"calls": [0-9]*' p/result.json | sort -u
< "calls": 10
< "calls": 5
$ gen-train --data x.safetensors --model lstm --hidden 16 --batch 4 --seq 10 --steps 8 -o q -q && cmp p/model.safetensors q/model.safetensors
$ gen-train --data x.safetensors --model lstm --hidden 16 --batch 4 --seq 10 --steps 3 --profile -o short -q
! gen-train: warning: --profile leaves the first 3 steps out, and there were no more; give --steps 50 or so

# A share of the training data, as if there were no more: 32 pieces of a text, or whole documents; for every kind of model, and part of
# what a run is.
$ for s in 1 0.25; do gen-train --data x.safetensors --model lstm --hidden 4 --layers 1 --batch 2 --seq 10 --steps 2 --train-share $s -o share$s 2>&1 | sed -n '1s/.* on \([0-9]*\),*\([0-9]*\) training.*/\1\2/p'; done | tr '\n' ' ' | awk '{print ($2 <= $1 / 4 && $2 > $1 / 4 - 32)}'
< 1
$ gen-train --resume -o share0.25 --steps 3 --train-share 0.5
!~ gen-train: share0\.25 cannot go on: its setting train_share is 0\.25, but now it would be 0\.5; give --train-share 0\.25, 
? 1
$ gen-preprocess corpus -o d.safetensors --documents line -q 2> /dev/null; for m in lstm ngram; do gen-train --data d.safetensors --model $m --steps 2 --train-share 0.25 -o d-$m 2>&1 | grep -c 'training tokens'; done
< 1
< 1
