# gen-tune finetune: going on with a model on new data
$ gen-collect synth:verses --max-bytes 12k --licence CC0-1.0 -o corpus -q && gen-preprocess corpus -o x.safetensors -q
$ printf 'Zed said: "the quick fox" & the dog, %d times over\n' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 > other.txt
$ gen-collect other.txt --licence CC0-1.0 -o other -q && gen-preprocess other -o y.safetensors --val 0.2 -q
$ gen-train --data x.safetensors --model lstm --hidden 16 --batch 4 --seq 10 --steps 60 -o a -q
$ gen-tune finetune
! gen-tune finetune: RUN comes first: gen-tune finetune RUN --data new.safetensors
? 2
$ gen-tune finetune nowhere --data y.safetensors
!~ gen-tune finetune: .*nowhere.*
? 1
$ gen-tune finetune a
! gen-tune finetune: --data FILE is missing: the new dataset, as gen-preprocess writes it
? 2
$ gen-tune finetune a --data y.safetensors --lerning-rate 1
!~ gen-tune finetune: unknown option --lerning-rate.*
? 2
$ gen-tune finetune a/model.safetensors --data y.safetensors
! gen-tune finetune: -o RUN is missing: the run folder to make
? 2
$ gen-tune finetune --help | grep -c -- '^ *--\(old-data\|lora-rank\|freeze\)'
< 3

$ gen-tune finetune a --data y.safetensors --init b -o b
! gen-tune finetune: --init says what to go on from, and so does a; leave it out
? 2

# Other tokens: what both know keeps its weights, and the report says so; a third of the steps, half the rate, which falls from the middle on.
$ gen-tune finetune a --data y.safetensors --batch 4 --seq 10 -q > report; head -n 1 report | sed 's/[0-9][0-9]*/N/g'
< a -> a-tuned: N of N tokens known, N new
$ sed -n 's/^\(validation\|new data, nats\|old data, bits.char\).*/\1/p' report
< validation
< new data, nats
< old data, bits/char
$ grep -c 'characters of the old text are not in the new vocabulary and were left out: its figures do not compare' report
< 1
$ grep -o '"steps": [0-9]*\|"lr": [0-9.]*\|"decay_share": [0-9.]*\|"map_vocab": [a-z]*\|"init": "[a-z]*"' a-tuned/config.json | tr '\n' ' '
< "steps": 134 "lr": 0.001 "decay_share": 0.5 "init": "a" "map_vocab": true 
$ grep -o '"\(program\|out\|run\|model\|tokens\|known\|new\|steps\|old_val_loss\)"' a-tuned/finetune.json | tr '\n' ' '
< "program" "out" "run" "model" "steps" "tokens" "known" "new" "old_val_loss" 
$ ls a-tuned | tr '\n' ' '
< config.json finetune.json log.jsonl model.safetensors result.json samples state.safetensors 
# It is a run like any other: repeated by its config.json, gone on with, sampled.
$ gen-train --config a-tuned/config.json -o again -q && cmp a-tuned/model.safetensors again/model.safetensors && echo same
< same
$ gen-tune finetune a --data y.safetensors -o a-tuned --resume -q --json | grep -o '"steps": [0-9]*'
< "steps": 134
# Stopped, it says how to go on; that gives the report, with figures of before by the run's own seed, of the model that it began with.
$ gen-tune finetune a --data y.safetensors --lora-rank 2 --seed 7 --batch 4 --seq 10 --steps 100000000 --save-every 1 -o stop -q 2> said & while kill -0 $! && [ ! -e stop/state.safetensors ]; do :; done; kill -TERM $!; wait $!; echo $?; sed 's/step [0-9]*/step N/' said; sh -c "$(sed 's/.*go on with: //' said) --until 1 -q --json" > report; gen-tune finetune a --data y.safetensors --lora-rank 2 --seed 7 --batch 4 --seq 10 --steps 1 -o straight -q --json >> report; grep -o '"\(seed\|val_loss_before\)": [0-9.]*' report | sort | uniq -c | awk '{ print $1 }'
< 143
< gen-tune finetune: stopped at step N, all saved; go on with: gen-tune finetune a --data y.safetensors --resume -o stop
< 2
< 2
$ gen-train --data x.safetensors --model lstm --hidden 16 --batch 4 --seq 10 --steps 2 -o third -q; gen-tune finetune third --data y.safetensors -o stop --resume -q
! gen-tune finetune: stop cannot go on: it was not begun with third as that is now; name the model that it was begun with, give -o another name, or start anew with --force
? 1
$ gen-tune finetune third --data y.safetensors -o ./third --force -q; gen-tune finetune third/model.safetensors --data y.safetensors -o third --force -q; gen-sample third --length 3 -q | wc -l
! gen-tune finetune: -o ./third is where third is, which would be replaced; give -o another name
! gen-tune finetune: -o third is where third/model.safetensors is, which would be replaced; give -o another name
< 1
$ gen-sample a-tuned --length 5 > /dev/null && gen-train --data y.safetensors --model lstm --init a -o b -q
!~ gen-train: --init: the vocabularies differ: .*; give --map-vocab to keep what both know, or train from the start
? 1
$ gen-train --data y.safetensors --model lstm --map-vocab -o b -q
! gen-train: --map-vocab goes on with a model that is there already: give --init RUN with it
? 2
# The same tokens: nothing is mapped. Old data that are gone are told, and no reason to fail.
$ mkdir far && gen-train --data x.safetensors --model lstm --hidden 16 --batch 4 --seq 10 --steps 9 -o far/run -q && cp x.safetensors z.safetensors && sed 's/x\.safetensors/gone.safetensors/' far/run/config.json > c && mv c far/run/config.json
$ gen-tune finetune far/run --data z.safetensors --steps 3 -o far/out -q | grep -c 'old data'
< 0
? 1
!~ gen-tune finetune: warning: the old data, which far/run learned from, are not at hand: nobody can say what is forgotten; give --old-data FILE \(gone\.safetensors\)
$ grep -o '"map_vocab": [a-z]*' far/out/config.json; gen-tune finetune far/run --data z.safetensors --steps 3 -o far/out --force -q --old-data x.safetensors | grep -c 'old data'
< "map_vocab": false
< 1
$ gen-tune finetune far/run --data z.safetensors --steps 3 -o far/out --force -q --old-data y.safetensors | grep -c 'old data'
< 1
! gen-tune finetune: warning: y.safetensors is not what far/run learned from: its content is another

# Frozen parts do not move.
$ gen-tune finetune a --data x.safetensors --freeze embed,rnn.0 --steps 5 --weight-decay 0.1 -o frozen -q > /dev/null; for t in embed.weight rnn.weight_hh_l0 rnn.bias_ih_l0 rnn.weight_hh_l1; do for r in a frozen; do gen-convert $r -o $r.npy --tensor $t --force -q; done; cmp -s a.npy frozen.npy && echo $t; done; true
< embed.weight
< rnn.weight_hh_l0
< rnn.bias_ih_l0
$ grep -a -o '"m/[a-z_.0-9]*"' frozen/state.safetensors | sort -u | tr '\n' ' ' # moments of what moves
< "m/head.bias" "m/head.weight" "m/rnn.bias_hh_l1" "m/rnn.bias_ih_l1" "m/rnn.weight_hh_l1" "m/rnn.weight_ih_l1" 
$ gen-tune finetune a --data x.safetensors --freeze lstm.0 --steps 5 -o frozen --force -q
! gen-tune finetune: --freeze: no parameter of this model is called lstm.0; there are all, embed, rnn.0, rnn.1, head, and their parts, such as embed.weight
? 2

# Adapters: a small file of their own, the same bits merged and separate, of one model only.
$ gen-tune finetune a --data y.safetensors --lora-rank 2 --batch 4 --seq 10 --steps 20 -o lora -q > /dev/null; ls lora | grep safetensors | tr '\n' ' '
< adapter.safetensors model.safetensors state.safetensors 
$ gen-convert a --adapter lora/adapter.safetensors -o merged.safetensors -q && cmp merged.safetensors lora/model.safetensors && echo same
< same
$ gen-sample lora --length 50 -n 3 > merged; for t in 1 3; do gen-sample a --adapter lora/adapter.safetensors --length 50 -n 3 --threads $t | cmp - merged && echo same; done
< same
< same
$ gen-sample lora --adapter lora/adapter.safetensors
!~ gen-sample: lora/adapter\.safetensors: it was learned for the model of sha256 [0-9a-f]{64}, and lora/model\.safetensors is [0-9a-f]{64}
? 1
$ gen-sample lora/adapter.safetensors
! gen-sample: lora/adapter.safetensors: this is an adapter: name the model that it was learned for, and give this one as --adapter
? 1
$ gen-sample a --adapter lora/model.safetensors
! gen-sample: lora/model.safetensors: this is a whole model, not an adapter
? 1
$ gen-sample a --adapter lora/state.safetensors
! gen-sample: lora/state.safetensors: this is a training state, not an adapter; use adapter.safetensors beside it
? 1
$ gen-convert a --adapter lora/adapter.safetensors -o x.gguf
! gen-convert: --adapter merges it into a model of ours: name the output .safetensors; that becomes any other kind
? 2
# A training state with adapters is a model, too: its averaged weights, where there are any, or those of its step.
$ for r in lora averaged; do [ $r = lora ] || gen-tune finetune a --data y.safetensors --lora-rank 2 --ema 0.9 --batch 4 --seq 10 --steps 20 --eval-every 20 --keep 2 --save-every 10 -o $r -q > /dev/null; gen-sample $r/state.safetensors --length 50 -q > of_state; gen-sample $r --length 50 -q | cmp - of_state && echo same; done
< same
< same
$ gen-select averaged -q | grep -c '^averaged is chosen'
< 1
# A table that is frozen under another vocabulary goes with the adapter: in its base the rows are other tokens'.
$ gen-tune finetune a --data y.safetensors --lora-rank 2 --freeze embed --batch 4 --seq 10 --steps 20 -o table -q > /dev/null; gen-convert a --adapter table/adapter.safetensors -o merged.safetensors --force -q && cmp merged.safetensors table/model.safetensors && echo same
< same
$ gen-train --data y.safetensors --model lstm --init a --map-vocab --lora-rank 2 --freeze embed --batch 4 --seq 10 --steps 1 --lr 0 -o start -q; for r in start table; do gen-convert $r -o $r.npy --tensor embed.weight -q; done; cmp start.npy table.npy && echo not moved
< not moved
$ head -c 3000 lora/adapter.safetensors > cut.safetensors; gen-sample a --adapter cut.safetensors
!~ gen-sample: .*cut\.safetensors.*
? 1
$ gen-tune finetune a --data y.safetensors --lora-rank 16 -o high -q
! gen-tune finetune: --lora-rank 16: rnn.weight_ih_l0 is a matrix of [64, 16], whose adapter must have a lower rank
? 2
$ ls high
!~ .*
? 2
$ gen-train --data x.safetensors --model lstm --lora-rank 2 -o b
! gen-train: --lora-rank goes on with a model that is there already: give --init RUN with it
? 2
$ gen-tune finetune a --data y.safetensors --lora-rank 2 --batch 4 --seq 10 --dry-run 2> /dev/null | grep -A 1 '^param' | tr -s ' '
< parameters 5,507
<  of it trained 1,795
# Killed and gone on with, the same bytes.
$ gen-tune finetune a --data y.safetensors --lora-rank 2 --batch 4 --seq 10 --steps 20 --until 7 -o cut -q > /dev/null; gen-train --resume --until 0 -o cut -q; for f in model state adapter; do cmp cut/$f.safetensors lora/$f.safetensors && echo same; done
< same
< same
< same
$ gen-tune finetune a --data y.safetensors --lora-rank 2 --batch 4 --seq 10 --steps 20 --until 7 -o early -q > /dev/null; cp early/adapter.safetensors cut && gen-train --resume -o cut -q && cmp cut/adapter.safetensors lora/adapter.safetensors && echo same
< same
$ printf X | dd of=cut/adapter.safetensors bs=1 seek=5000 conv=notrunc 2> /dev/null; gen-train --resume -o cut -q && cmp cut/adapter.safetensors lora/adapter.safetensors && echo same
< same
$ rm cut/adapter.safetensors && gen-train --resume -o cut -q && cmp cut/adapter.safetensors lora/adapter.safetensors && echo same
< same

# Advice on a tuned run: its width is that of the model it went on from, and is not varied.
$ gen-tune advise lora -o advice --effort 1 -q > advice.txt; grep -c 'width' advice.txt; grep -c '^what *lever' advice.txt
< 0
< 1

# Tokenisers of other kinds: bytes to characters to pieces, and documents with classes.
$ gen-preprocess corpus -o bytes.safetensors --tokenizer byte -q && gen-train --data bytes.safetensors --model gru --hidden 12 --batch 4 --seq 10 --steps 9 -o bytes -q && gen-tune finetune bytes --data y.safetensors --steps 3 -q | head -n 1 | sed 's/ [0-9]* of/ N of/; s/of [0-9]*/of N/'
< bytes -> bytes-tuned: N of N tokens known, 0 new
$ gen-preprocess corpus -o pairs.safetensors --tokenizer bpe --vocab-size 256 -q && gen-tune finetune bytes --data pairs.safetensors --batch 4 --seq 10 --steps 2 -o pairs -q | head -n 1
< bytes -> pairs: 256 of 256 tokens known, 0 new
$ gen-preprocess corpus -o bpe.safetensors --tokenizer bpe --vocab-size 300 -q && gen-train --data bpe.safetensors --model transformer --layers 1 --heads 2 --dim 16 --context 16 --steps 5 -o bpe -q && gen-preprocess other -o otherbpe.safetensors --tokenizer bpe --vocab-size 280 --val 0.2 -q && gen-tune finetune bpe --data otherbpe.safetensors --batch 2 --steps 3 -q | sed -n 's/^.*: \([0-9]*\) of 280 tokens.*/\1/p' | awk '{ print ($1 >= 256) }'
< 1
$ for c in 2/one 2/two 3/two 3/three; do mkdir -p in$c; printf 'a line of %s\nanother line of it\n' $c $c $c $c $c $c $c $c $c $c $c $c $c > in$c/t.txt; done; gen-collect in2 --label from-folder --licence CC0-1.0 -o c2 -q && gen-collect in3 --label from-folder --licence CC0-1.0 -o c3 -q && for c in c2 c3; do gen-preprocess $c -o $c.safetensors --documents line --val 0.2 --dedupe off -q 2> /dev/null; done; gen-train --data c2.safetensors --model lstm --hidden 8 --batch 2 --seq 9 --steps 5 -o classes -q; gen-tune finetune classes --data c3.safetensors --batch 2 --seq 9 --steps 3 -q | head -n 1
< classes -> classes-tuned: 16 of 18 tokens known, 2 new
# Of rows that stand for no class, one and two, and for no class, three and two, the first and the last stay.
$ gen-tune finetune classes --data c3.safetensors --batch 2 --seq 9 --steps 1 --lr 0 --min-lr 0 -o still -q > /dev/null; for r in classes still; do gen-convert $r -o $r.npy --tensor classes.weight -q; tail -c 96 $r.npy > $r.rows; done; for at in 0 32 64; do cmp -s -n 32 -i $at classes.rows still.rows && echo $at; done
< 0
< 64
$ gen-tune finetune classes --data y.safetensors --batch 2 --seq 9 --steps 3 -o text -q | grep -c 'old data'
< 1
$ gen-train --data x.safetensors --model ngram -o ngram -q && gen-tune finetune ngram --data y.safetensors
! gen-tune finetune: ngram: ngram learns in one pass and is not tuned: train one on both datasets
? 2
# Images: the shape must be the same, classes may be others.
$ gen-collect synth:shapes --limit 120 -o shapes -q && gen-preprocess shapes -o i.safetensors --size 8 -q 2> /dev/null; gen-preprocess shapes -o small.safetensors --size 6 -q 2> /dev/null; gen-train --data i.safetensors --model vae --hidden 8 --latent 2 --steps 5 -o vae -q && gen-tune finetune vae --data i.safetensors --steps 3 -q | head -n 1
< vae -> vae-tuned: 5 of 5 classes known, 0 new
$ gen-tune finetune vae --data small.safetensors --steps 3 -o vae2 -q
!~ gen-tune finetune: vae was trained on images of \[[13], 8, 8\], and small.safetensors holds images of \[[13], 6, 6\]; .*
? 1
# Other classes, none among them, are for whoever says so: gen-tune finetune does.
$ gen-preprocess shapes -o plain.safetensors --size 8 --no-labels -q 2> /dev/null; gen-tune finetune vae --data plain.safetensors --steps 2 -o plain -q | head -n 1; gen-train --data plain.safetensors --model vae --init vae -o vae2 -q
! gen-train: --init: vae and plain.safetensors do not have the same classes
< vae -> plain
? 1
$ gen-tune finetune vae --data y.safetensors -o vae2 -q
! gen-tune finetune: vae was trained on images, and y.safetensors holds text
? 1
$ gen-tune finetune vae --data i.safetensors --lora-rank 2 -o vae2 -q
! gen-tune finetune: --lora-rank: this model has no matrix between hidden units to adapt
? 2
# A GAN's sides learn by losses of their own: neither can be frozen as a whole, parts of them can.
$ gen-train --data i.safetensors --model gan --arch mlp --hidden 6 --latent 2 --batch 16 --steps 3 -o gan -q && gen-tune finetune gan --data i.safetensors --steps 2 --freeze all,-d -o half -q
! gen-tune finetune: --freeze all,-d: nothing is left to train among g.fc1.weight and what learns with it
? 2
$ gen-tune finetune gan --data i.safetensors --steps 2 --freeze fc1 -o half -q
! gen-tune finetune: --freeze: no parameter of this model is called fc1; there are all, g, d, and their parts, such as g.fc1.weight
? 2
$ gen-tune finetune gan --data i.safetensors --steps 2 --freeze d.fc1,g.fc1 -o half -q | head -n 1; for t in g.fc1.weight d.fc1.weight_orig g.fc2.weight d.fc2.weight_orig; do for r in gan half; do gen-convert $r -o $r.npy --tensor $t --force -q; done; cmp -s gan.npy half.npy && echo $t; done; true
< gan -> half: 5 of 5 classes known, 0 new
< g.fc1.weight
< d.fc1.weight_orig
# Of an imported model two tokens may have one text, a byte and a piece: each keeps its own row. Only what began its texts is new.
skip unless command -v python3
$ ref=$TINYGEN_SRC/tests/golden/llama2_reference.py; python3 $ref pieces tok.bin 300; python3 $ref make a.bin 1 24 40 2 4 2 300 120; gen-convert a.bin --tokenizer tok.bin -o llama.safetensors -q && gen-preprocess corpus --tokenizer tok.bin -o pieces.safetensors -q && gen-tune finetune llama.safetensors --data pieces.safetensors --old-data pieces.safetensors --batch 2 --steps 1 --lr 0 -o llama -q 2> /dev/null | sed -n 's/.*: \([0-9]*\) of 300 tokens known.*/\1/p'
< 299
$ for m in llama.safetensors llama; do gen-convert $m -o ${m%.safetensors}.npy --tensor embed.weight --force -q; python3 -c 'import sys; b = open(sys.argv[1], "rb").read()[-300 * 96:]; [print(b[i * 96:i * 96 + 96].hex()) for i in range(300)]' ${m%.safetensors}.npy > rows; mv rows ${m%.safetensors}.rows; [ $m = llama ] || cp llama.rows first.rows; done; cmp -s first.rows llama.rows; diff first.rows llama.rows | grep -c '^<'
< 1
