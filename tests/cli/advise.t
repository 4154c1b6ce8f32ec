# gen-tune advise: every kind of model, kills, names, messages; advise_levers.t and advise_rate.t have what it advises
$ gen-tune
!~ ^usage: gen-tune WHAT 
!*
? 2
$ awk 'BEGIN { split("the cat sat on a mat by now", w, " "); x = 7; for (i = 0; i < 9000; i++) { x = x * 16807 % 2147483647; print w[int(x / 268435456) + 1] } }' > words.txt; gen-collect words.txt --licence CC0-1.0 -o words -q; gen-preprocess words -o w.safetensors -q 2> /dev/null

# The command that is shown and --apply train the same, of a run that stopped before its schedule did, too.
$ gen-train --data w.safetensors --model lstm --layers 1 --hidden 8 --batch 4 --seq 10 --steps 60 --until 30 --patience 9 --eval-every 5 -o early -q; gen-tune advise early --effort 2 --least 0 -o early.advice --apply -q > early.txt; tail -n 1 early.txt | grep -o -e '--steps 30 --until 0 --patience 0'; sh -c "$(tail -n 1 early.txt | sed 's/early.advice.applied/early.by.hand/') -q"; cmp early.advice/applied/model.safetensors early.by.hand/model.safetensors && echo same
< --steps 30 --until 0 --patience 0
< same

# A run that began with another's weights is looked at from there (a new model of 13 tokens guesses at 2.56), and has no other width.
$ gen-train --data w.safetensors --model gru --layers 1 --hidden 8 --batch 8 --seq 20 --steps 200 --lr 0.02 -o base -q; gen-tune finetune base --data w.safetensors --steps 20 --lora-rank 2 -o light -q > /dev/null; gen-tune advise light -o light.advice --effort 1 -q > light.txt; grep -c '^rate\|^batch\|^twice the data' light.txt; grep -c 'width' light.txt; grep -o '"range_test": .\[[^,]*, [0-9.]*' light.advice/advice.json | awk '{ print ($3 < 1.5 ? "as it was" : $0) }'
< 3
< 0
< as it was

# What is frozen stays so in the range test: with another part frozen it goes another way.
$ for f in embed rnn.0; do gen-train --data w.safetensors --model rnn --hidden 4 --layers 1 --batch 4 --seq 10 --steps 9 --freeze $f -o frozen-$f -q; gen-tune advise frozen-$f -o frozen-$f.advice --effort 1 -q > /dev/null; grep -o '"range_test": .*"noise_scale"' frozen-$f.advice/advice.json > $f.range; done; cmp -s embed.range rnn.0.range || echo differ
< differ

# A change that breaks training down is a finding like any other.
$ gen-train --data w.safetensors --model rnn --activation relu --hidden 64 --layers 1 --batch 4 --seq 20 --steps 100 --lr 0.3 --min-lr 0.01 --clip 0 --optimizer sgd --momentum 0.9 -o steep -q; gen-tune advise steep --effort 8 -o steep.advice -q | grep -c 'a .* rate .*training diverges\|twice the width .*training diverges\|^twice the data'; gen-tune advise steep --effort 8 -o steep.advice -q | grep -c 'training diverges' # told of the second time, too
<~ [2-6]
<~ [1-5]

# What was applied before, by other advice, is not gone on with; --force begins anew.
$ rm -r early.advice/applied; gen-train --config early/config.json --lr 0.123 --steps 5 -o early.advice/applied -q; gen-tune advise early --effort 2 --least 0 -o early.advice --apply -q > again.txt
!~ ^gen-tune advise: early\.advice/applied cannot go on: .*start anew with --force
? 1
$ gen-tune advise early --effort 2 --least 0 -o early.advice --apply --force -q > again.txt; cmp early.advice/applied/model.safetensors early.by.hand/model.safetensors

# The noise scale is the weights', not the batch's: of batches of 40 tokens and of 640 about the same.
$ for b in 4 64; do gen-train --data w.safetensors --model rnn --hidden 8 --layers 1 --batch $b --seq 10 --steps 1 --lr 1e-9 --min-lr 0 -o noise-$b -q; gen-tune advise noise-$b -o noise-$b.advice --effort 1 -q | sed -n 's/.*scale about \([0-9]*\) tokens.*/\1/p'; done | awk '{ n[NR] = $1 } END { print (n[1] > 4 && n[1] < 2 * n[2] && n[2] < 2 * n[1] ? "the same" : n[1] " and " n[2]) }'
< the same

# What ended the run early ends none of its trials: twice the passes over half the data are as many steps as it took.
$ gen-train --data w.safetensors --model lstm --layers 1 --hidden 16 --batch 4 --seq 20 --steps 2000 --lr 0.02 --target 1.5 --eval-every 10 -o aim -q; gen-tune advise aim -o aim.advice --effort 8 -q > aim.txt; for f in aim/result.json aim.advice/trials/x0.5-passes_2/result.json; do grep -o '"steps": [0-9]*' $f; done | uniq | wc -l
< 1

# More data count for what they bring beyond longer training, which helps this run, too.
$ awk '/^twice the passes/ { p = $5; helps = $6 > 0 } /^twice the data/ { off = $6 - (p - $5); print (helps && off < 2e-4 && off > -2e-4 ? "beyond" : $0) }' aim.txt
< beyond

# Names with all that a shell acts on.
$ r="it's; touch PWNED \$(touch PWNED)"; gen-train --data w.safetensors --model rnn --hidden 4 --layers 1 --batch 4 --seq 10 --steps 20 -o "$r" -q; gen-tune advise "$r" --effort 1 --least 0 -o "$r.advice" -q > odd.txt; sh -c "$(tail -n 1 odd.txt) -q" && grep -c val_loss "$r.advice/applied/result.json"; ls PWNED 2> /dev/null
< 1
? 2

# Killed at any call, it goes on where it was; the same bytes as an unbroken one, and for any number of threads.
$ gen-train --data w.safetensors --model gru --layers 1 --hidden 8 --batch 4 --seq 10 --steps 40 -o g -q; k() { gen-tune advise g --effort 2 -q "$@" > /dev/null 2>&1; }; k -o one --threads 1; k -o three --threads 3; cut -d , -f 2- one/advice.json | sed 's/one/X/g' > a; cut -d , -f 2- three/advice.json | sed 's/three/X/g' | cmp - a && for n in 5 60 200 400 700; do TG_FAULT=kill:$n k -o cut --threads 1; k -o cut --threads 1; cut -d , -f 2- cut/advice.json | sed 's/cut/X/g' | cmp - a || echo $n; rm -r cut; done; ls one
< advice.json
< run.json
< trials

# Every kind of model, with what can be said of it.
$ gen-train --data w.safetensors --model ngram -o n -q; gen-tune advise n -o n.advice -q | sed 's/[0-9.]\{6\}/N/g' | grep 'order'
<~ a higher order --order 7: N
<~ a lower order --order 5: N
<~ ^a higher order +architecture +N 
<~ ^a lower order +architecture +N 
$ gen-train --data w.safetensors --model transformer --layers 1 --heads 2 --dim 8 --context 16 --batch 4 --steps 40 -o t -q; gen-tune advise t --effort 1 -o t.advice --json -q | grep -c '"noise_scale": .*"law": .*"profile": '
< 1
$ gen-collect synth:shapes --limit 300 -o shapes -q; gen-preprocess shapes -o x.safetensors --size 8 --channels 1 -q 2> /dev/null; gen-train --data x.safetensors --model vae --hidden 8 --latent 2 --steps 60 -o vae -q; gen-tune advise vae --effort 1 -o vae.advice -q | grep -c '^data .* of them\|units behind op\|^twice the data\|images; a step takes'
<~ [34]
$ gen-train --data x.safetensors --model gan --channels 4 --batch 16 --steps 5 -o gan -q; gen-tune advise gan -o gan.advice -q | sed -n '/^no lever/,$p'; grep -o '"verdict": "[a-z]*"' gan.advice/advice.json
< no lever can be named: a gan has no validation loss, so rates, data and sizes cannot be compared by short
< trainings; compare samples: gen-evaluate gan
< "verdict": "unknown"

# A run that learned by heart says so, and no more passes are tried.
$ gen-train --data w.safetensors --model lstm --layers 1 --hidden 32 --batch 4 --seq 20 --steps 400 --lr 0.02 --min-lr 0.01 --train-share 0.02 --eval-every 20 -o heart -q; gen-tune advise heart -o heart.advice --effort 1 -q > heart.txt; grep -c '^ *-> over-fitting: it learned by heart\|best after step [1-9]0 of 400, rose' heart.txt; grep -c 'passes  \|passes:' heart.txt
< 2
< 0
? 1

# So few data that nothing can be tried on a share of them: no lever is named, and why.
$ printf 'the cat sat on a mat by now the cat sat on a mat by now the cat' > tiny.txt; gen-collect tiny.txt --licence CC0-1.0 -o tiny -q; gen-preprocess tiny -o tiny.safetensors --val 0.2 -q 2> /dev/null; gen-train --data tiny.safetensors --model rnn --hidden 4 --layers 1 --seq 8 --batch 2 --steps 10 -o short -q; gen-tune advise short -o short.advice --effort 1 -q | tail -n 1; grep -o '"verdict": "[a-z]*"' short.advice/advice.json
< no lever can be named: none of the short trainings came to a loss; a larger --effort tries them on more of the data
< "verdict": "unknown"

# What it costs is told before; of a run that did not end, --budget goes by the time of a step.
$ gen-train --data w.safetensors --model rnn --hidden 4 --layers 1 --seq 8 --batch 2 --steps 40 --save-every 10 --eval-every 10 -o half -q; rm half/result.json; gen-tune advise half -o half.advice --budget 2h 2>&1 > /dev/null | awk '/together/ { n = sub(/.*times the run, about .* \(--effort /, ""); print (n && $1 > 1000 ? "all that it wants" : $0); next } { print }'
< gen-tune advise: warning: half has not ended: this is about its best weights so far
< all that it wants

# What does not go.
$ gen-tune advise g -o n
! gen-tune advise: n is the folder of a run; give advice another -o
? 1
$ mkdir study; echo '{}' > study/study.json; gen-tune advise g -o study --force; ls study
! gen-tune advise: study is the folder of a study; give advice another -o
< study.json
$ gen-tune advise g -o n.advice
! gen-tune advise: n.advice holds advice on another run, or on other weights of this one; give another -o, or --force
? 1
$ gen-tune advise g/model.safetensors -o y
! gen-tune advise: g/model.safetensors: no run folder; advise looks at a whole run, its settings and its log
? 1
$ gen-tune advise g --data x.safetensors -o y
! gen-tune advise: g was not trained on x.safetensors; give --data the dataset that it was trained on
? 1
$ cp -r g moved; sed 's/w.safetensors/gone.safetensors/' g/config.json > moved/config.json; gen-tune advise moved -o y
! gen-tune advise: the data of moved (--data says where they are now): cannot open gone.safetensors: No such file or directory
? 1
$ gen-tune advise nowhere -o y
!~ ^gen-tune advise: nowhere: no run folder
? 1
$ gen-preprocess words -o noval.safetensors --val 0 -q 2> /dev/null; gen-train --data noval.safetensors --model rnn --hidden 4 --steps 5 -o noval -q 2> /dev/null; gen-tune advise noval -o y
! gen-tune advise: noval has no validation loss, by which alone advice is measured; gen-preprocess --val 0.1 makes a split
? 1
$ gen-tune advise
!~ ^gen-tune advise: .*RUN
? 2
$ gen-tune advise g --efort 2
!~ ^gen-tune advise: unknown option --efort .*--effort
? 2
$ ls -d y
!*
? 2
