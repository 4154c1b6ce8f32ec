# gen-tune search and trial: messages, exit codes, names that must not run
$ gen-collect synth:verses --max-bytes 12k --licence CC0-1.0 -o corpus -q
$ gen-preprocess corpus -o x.safetensors -q
$ printf '%s\n' 'gen-tune search "$@" --layers 1 --batch 4 --seq 16 --steps 20 -q' > search.sh

# What makes no sense is refused before anything runs.
$ gen-tune serch
! gen-tune: no such thing to do: serch (did you mean search?); gen-tune --help tells what there is
? 2
$ gen-tune
!~ ^usage: gen-tune WHAT
!*
? 2
$ gen-tune --version | cut -d ' ' -f 1
< gen-tune
$ gen-tune --colour never --help | head -n 1
< usage: gen-tune WHAT [options]; gen-tune WHAT --help tells more
$ gen-tune --qiet
! gen-tune: unknown option --qiet (did you mean --quiet?)
? 2
$ gen-tune "$(printf 'a\033[31mb')" search 2>&1 | grep -c "$(printf '\033')"
< 0
? 1
$ gen-tune -q
! gen-tune: what is to be done? gen-tune --help tells what there is
? 2
$ gen-tune -q --color never trial 1 -o corpus
! gen-tune trial: corpus/trials/0001: there is no such trial; gen-tune search -o corpus makes them
? 1
$ gen-tune search --space lr=1e-3,1e-2
! gen-tune search: --out STUDY is missing: folder of the study, which is gone on with if it is there
? 2
$ gen-tune search -o a --data x.safetensors --model lstm
! gen-tune search: --space KEY=VALUES is missing: what is to be tried, such as lr=1e-4:1e-2:log
? 2
$ gen-tune search -o a --model lstm --space lr=1e-3,1e-2
! gen-tune search: --data FILE is missing: the dataset, as gen-preprocess writes it
? 2
$ gen-tune search -o a --data x.safetensors --model lstm --lr 1 --space lr=1e-3,1e-2
! gen-tune search: --lr is given, and an axis of the space, too; leave one out
? 2
$ gen-tune search -o a --data x.safetensors --model lstm --hiden 8 --space lr=1e-3,1e-2
! gen-tune search: unknown option --hiden (did you mean --hidden?)
? 2
$ gen-tune search -o a --data x.safetensors --model lstm --resume --space lr=1e-3,1e-2
! gen-tune search: unknown option --resume
? 2
$ gen-tune search -o a --data x.safetensors --space model=lstm,vae
! gen-tune search: vae does not learn from the data of x.safetensors; leave it out
? 2
$ gen-tune search -o a --data x.safetensors --space model=lstm,transformer --hidden 8
!~ gen-tune search: what is given must fit all models, and what fits some is given as --space key=value: transformer.*unknown key hidden
? 2
$ gen-tune search -o a --data x.safetensors --model lstm --space lr=1e-3,1e-2 --strategy asha
! gen-tune search: --strategy asha needs --steps: how long the best trials are trained
? 2
$ gen-tune search -o a --data x.safetensors --model lstm --space lr=1e-3,1e-2 --strategy asha --steps 90 --epochs 2
! gen-tune search: --epochs: --strategy asha says itself how long a trial is trained; give --steps
? 2
$ gen-tune search -o a --objective branin --data x.safetensors
! gen-tune search: --objective stands in place of --data and --model
? 2
$ gen-tune search -o a --data nothing.safetensors --model lstm --space lr=1e-3,1e-2
!~ nothing.safetensors
? 1
$ gen-tune trial
! gen-tune trial: N is missing: number of the trial
? 2
$ gen-tune trial '1 2'
! gen-tune trial: N 1 2: must be the number of a trial
? 2
$ gen-tune trial 3 -o corpus
! gen-tune trial: corpus/trials/0003: there is no such trial; gen-tune search -o corpus makes them
? 1
$ ls -d a
? 2
$ gen-tune search -o corpus --data x.safetensors --model lstm --space lr=1e-3,1e-2
! gen-tune search: corpus is there already and is not a study's folder; give -o another name
? 1

# A table, and a file that repeats the best trial to the last byte.
$ sh search.sh -o t --data x.safetensors --model lstm --space lr=1e-3:1e-1:log --space hidden=4,8 --trials 4
< rank  trial  val_loss  steps        lr  hidden
<~ ^   1   000[0-3]    [23]\.[0-9]{4}     20  +0\.0[0-9]+ +[48]$
<~ ^   2   000[0-3]  
<~ ^   3   000[0-3]  
<~ ^   4   000[0-3]  
<~ ^importance: lr [0-9]+ %
<~ ^best: trial [0-3], t/trials/000[0-3]; again: gen-train --config t/best.json -o RUN$
$ gen-train --config t/best.json -o again -q && cmp again/model.safetensors t/trials/$(sed -n 's/.*"rank": 1, "trial": \([0-9]*\),.*/000\1/p' t/ranking.json)/model.safetensors
$ ls t t/trials/0000
< t:
< best.json
< gen-tune
< ranking.json
< study.html
< study.json
< study.jsonl
< trials
< 
< t/trials/0000:
< config.json
< job.json
< log.jsonl
< model.safetensors
< result.json
< samples
< state.safetensors
$ sh search.sh -o t --data x.safetensors --model lstm --space lr=1e-3:1e-1:log --space hidden=4,8 --trials 4 --json | grep -o '"ran": 0,\|"trials": \[{"rank": 1'
< "ran": 0,
< "trials": [{"rank": 1
$ sh search.sh -o t --data x.safetensors --model lstm --space lr=1e-3:1e-1:log --space hidden=4,8 --trials 3
! gen-tune search: t holds another study: its trials is 4, and now it would be 3; give it as it was, or -o another, or start anew with --force
? 1

# The same bytes wherever the data lie, however many run at once.
$ mkdir elsewhere && cp x.safetensors elsewhere/ && sh search.sh -o t --data elsewhere/x.safetensors --model lstm --space lr=1e-3:1e-1:log --space hidden=4,8 --trials 4 | tail -n 1 | cut -c 1-5
< best:
$ cat t/gen-tune > /dev/null && cd t && rm -r trials/0002/result.json trials/0002/model.safetensors trials/0002/state.safetensors && ./gen-tune trial 2 -q && cd .. && for n in 1 2 3; do sh search.sh -o j$n --data x.safetensors --model lstm --space lr=1e-3:1e-1:log --space hidden=4,8 --trials 4 --jobs $n > /dev/null; cmp t/ranking.json j$n/ranking.json; for k in 0 1 2 3; do cmp t/trials/000$k/model.safetensors j$n/trials/000$k/model.safetensors; done; done

# Several at one trial wait for each other, and all find it done.
$ rm t/trials/0002/log.jsonl t/trials/0002/result.json t/trials/0002/*.safetensors; for i in 1 2 3 4; do gen-tune trial 2 -o t -q || echo "$i failed" & done; wait
$ cmp t/trials/0002/model.safetensors j1/trials/0002/model.safetensors

# Data that are others by now, or gone, are no trial's failure: nothing is taken down, and nothing is learned from them.
$ gen-preprocess corpus --val 0.2 -o other.safetensors -q && mv elsewhere/x.safetensors right && cp other.safetensors elsewhere/x.safetensors && rm t/trials/0002/result.json && gen-tune trial 2 -o t
!~ ^gen-tune trial: .*/elsewhere/x.safetensors holds other data than the study's, whose hash is [0-9a-f]{64}; bring those back, or begin another study$
? 1
$ rm elsewhere/x.safetensors && gen-tune trial 2 -o t
!~ ^gen-tune trial: cannot open .*/elsewhere/x.safetensors: No such file
? 1
$ ls t/trials/0002/failed.json 2> /dev/null; mv right elsewhere/x.safetensors && gen-tune trial 2 -o t -q

# Models with keys of their own.
$ sh search.sh -o m --data x.safetensors --space model=lstm,transformer --space hidden=4,8 --space dim=8 --space heads=2 --space context=16 --trials 3 --strategy grid | cut -c 1-60
< rank  trial  val_loss  steps        model  hidden  dim  head
<*
$ grep -o '"key": "hidden".*"models": \["lstm"\]' m/ranking.json | wc -l
< 1

# A trial that diverges or fails is told, taken down and ranked last; it never ends the search.
$ gen-tune search -o d --data x.safetensors --model lstm --layers 1 --hidden 4 --batch 4 --seq 16 --steps 20 --space lr=1e-2,1e9 --strategy grid --jobs 1 2>&1 | grep -v "%\|jobs in\|browser"
<~ ^trial 0: val_loss [0-9.]+, the best so far: lr 0.01$
<~ ^gen-tune search: warning: trial 1 diverged: step [0-9]+: training diverges
< rank  trial  val_loss  steps          lr
<~ ^   1   0000 +[0-9.]+     20        0.01$
<    -   0001  diverged      0  1000000000
<*
$ gen-tune trial 1 -o d
!~ ^gen-tune trial: it failed before: step [0-9]+: training diverges
? 1
$ gen-select d/trials/* -o chosen && cmp chosen/model.safetensors d/trials/0000/model.safetensors
!~ ^gen-select: warning: d/trials/0001: a trial that failed, and has no model; it is left out$
!*
$ gen-select d/trials/0001
!~ ^gen-select: warning: d/trials/0001
! gen-select: all of these trials failed; gen-tune search says why in study.html
? 1
$ gen-tune search -o f --data x.safetensors --model lstm --layers 1 --hidden 4 --steps 20 --batch 4 --space seq=16,100000 --strategy grid -q 2>&1 | tail -n 1
< best: trial 0, f/trials/0000; again: gen-train --config f/best.json -o RUN
$ grep -c '"status": "failed"' f/trials/0001/failed.json
< 1

# A metric that is not there costs no trial: the study goes on with another.
$ sh search.sh -o g --data x.safetensors --model lstm --hidden 4 --space lr=1e-3,1e-2 --strategy grid --jobs 1 --metric bcp
!~ ^gen-tune search: --metric bcp: there is no such number in a trial's result.json; there are: seed, seconds, steps.* bpc
? 2
$ sh search.sh -o g --data x.safetensors --model lstm --hidden 4 --space lr=1e-3,1e-2 --strategy grid --jobs 1 --metric bpc | head -n 1
< rank  trial     bpc  steps     lr

# Seeds may be an axis: how much is luck.
$ sh search.sh -o seeds --data x.safetensors --model lstm --hidden 4 --space seed=1,7,8 --strategy grid | cut -c 1-12; cat seeds/trials/*/config.json | grep -o '"seed": [0-9]*'
< rank  trial 
<~ ^   1   000[0-2]
<~ ^   2   000[0-2]
<~ ^   3   000[0-2]
<~ ^best: trial
< "seed": 1
< "seed": 7
< "seed": 8

# Only the best third trains on, and that one is the same as trained in one go.
$ gen-tune search -o asha --data x.safetensors --model lstm --layers 1 --hidden 4 --batch 4 --seq 16 --steps 18 --strategy asha --rungs 2 --trials 3 --space lr=1e-3:1e-1:log -q | grep -v importance
< rank  trial  val_loss  steps        lr
<~ ^   1   000[0-2]  [0-9. ]+ 18  
<~ ^   2   000[0-2]  [0-9. ]+  6  
<~ ^   3   000[0-2]  [0-9. ]+  6  
<~ ^best: 
$ gen-train --config asha/best.json -o whole -q && cmp whole/model.safetensors asha/trials/$(sed -n 's/.*"rank": 1, "trial": \([0-9]*\),.*/000\1/p' asha/ranking.json)/model.safetensors
$ sed -n 's/.*"event": "end", .*"rung": \([01]\), "until": \([0-9]*\), .*"steps": \([0-9]*\),.*/\1 \2 \3/p' asha/study.jsonl | sort
< 0 6 6
< 0 6 6
< 0 6 6
< 1 0 18

# A preset, less what is given and what is varied.
$ gen-tune search --preset gpt-tiny --layers 1 --dim 8 --heads 2 --batch 2 --context 8 --steps 2 --data x.safetensors --space lr=1e-3,1e-2 --space min-lr=1e-4,1e-5 --strategy grid -o preset -q | cut -c 30-
<~  +lr +min-lr$
<*
$ sed 's/.*"fixed": //; s/, "init".*//' preset/study.json
< {"steps": 2, "batch": 2, "optimizer": "muon", "warmup": 100, "schedule": "wsd", "weight_decay": 0.1, "clip": 1, "beta2": 0.99, "layers": 1, "heads": 2, "dim": 8, "context": 8, "dropout": 0}
$ gen-train --config preset/trials/0003/config.json -o preset0003 -q && gen-train --preset gpt-tiny --layers 1 --dim 8 --heads 2 --batch 2 --context 8 --steps 2 --data x.safetensors --lr 1e-2 --min-lr 1e-5 --seed 1 -o straight -q && cmp straight/model.safetensors preset/trials/0003/model.safetensors
$ gen-tune search --preset gpt-tiny --model lstm --data x.safetensors --space lr=1e-3,1e-2 -o no
! gen-tune search: --preset gpt-tiny is a transformer; leave --model out
? 2
$ gen-tune search --preset gpt --data x.safetensors --space lr=1e-3,1e-2 -o no
!~ ^gen-tune search: there is no preset gpt; there are: gpt-tiny
? 2

# Of many trials the first twenty are shown.
$ gen-tune search --objective branin --trials 22 -o many -q | sed -n '20,22p' | cut -c 1-12
<~ ^  19   00
<~ ^  20   00
< and 2 more, 
$ gen-tune search --objective branin --trials 20 -o many20 -q | grep -c more
< 0
? 1

# Of few points a random search says that they are few.
$ sh search.sh -o few --data x.safetensors --space model=lstm,gru --space hidden=4:5 --trials 5
<*
! gen-tune search: warning: the space has 4 points, so trials will be the same; --strategy grid tries each once
$ sh search.sh -o enough --data x.safetensors --space model=lstm,gru --space hidden=4:5 --trials 4 2>&1 | grep -c warning
< 0
? 1

# A file of axes, and for make all that was read.
$ echo '{"lr": [0.001, 0.01], "hidden": "4:8:2"}' > space.json && sh search.sh -o s --data x.safetensors --model lstm --space space.json --init t/trials/0000/model.safetensors --strategy grid --deps s.mk | head -n 1; head -n 1 s.mk
< rank  trial  val_loss  steps     lr  hidden
< s/ranking.json: space.json x.safetensors t/trials/0000/model.safetensors

# Names are names: nothing runs, nothing breaks a line.
$ name=$(printf 'x"; touch PWNED; `touch PWNED`\n$(touch PWNED) %% 诗') && mkdir "$name" && cp x.safetensors "$name/数据.safetensors" && sh search.sh -o "$name/研究" --data "$name/数据.safetensors" --model lstm --hidden 4 --space lr=1e-3,1e-2 --strategy grid --deps d.mk | tail -n 1
< best: trial 1, x"; touch PWNED; `touch PWNED`\n$(touch PWNED) % 诗/研究/trials/0001; again: gen-train --config 'x"; touch PWNED; `touch PWNED`\n$(touch PWNED) % 诗/研究/best.json' -o RUN
$ ls -d PWNED */PWNED
!*
? 2

# A folder may be named with its slash.
$ gen-tune search --objective branin --trials 2 -o slash/ 2> said | tail -n 1; tail -n 1 said
<~ ^best: trial [01], slash/trials/000[01]$
< slash/study.html: open it in a browser
