# gen-select: the best of trained models, and what to train
skip unless command -v python3
$ cat > hand.py <<'END'
> # What a hand computation says, from result.json alone: hand.py best METRIC RUN...; hand.py equal METRIC FILE: whether the values in a
> # ranking are those of result.json, and it is in their order; hand.py still FILE: the ranking without what was measured.
> import json, re, sys
> result = lambda run: json.load(open(run + "/result.json"))
> if sys.argv[1] == "best":
>     print(min(sys.argv[3:], key=lambda run: result(run)[sys.argv[2]]))
> elif sys.argv[1] == "equal":
>     rows = json.load(open(sys.argv[3]))["ranking"]
>     values = [row["value"] for row in rows]
>     assert all(abs(row["value"] - result(row["run"])[sys.argv[2]]) < 1e-12 for row in rows) and values == sorted(values)
>     assert all(row["params"] == result(row["run"])["params"] and row["low"] < row["value"] < row["high"] for row in rows)
>     front = [row["run"] for row in rows if not any(o["value"] < row["value"] and o["params"] <= row["params"] for o in rows)]
>     assert front == [row["run"] for row in rows if row["pareto"]]
>     print("the same, and in order")
> else:
>     print(re.sub(r'"measured_ms": [^,]*, ', "", open(sys.argv[2]).read()), end="")
> END
> 

$ cat > broken.py <<'END'
> # Weights of 1e38, with the checksums that go with them: what a training that broke down may leave.
> import os, struct, sys
> sys.path.insert(0, os.environ["TINYGEN_SRC"] + "/tests/support")
> from xxh64 import read_file, write_file
> head, meta, data = read_file(sys.argv[1])
> write_file(sys.argv[1], head, meta, struct.pack("<f", 1e38) * (len(data) // 4))
> END
> 

# Ten runs of two kinds of data, in several sizes, and a GAN.
$ gen-collect synth:verses --max-bytes 60k -o verses -q; gen-preprocess verses -o t.safetensors -q 2> /dev/null; gen-preprocess verses -o b.safetensors --tokenizer bpe --vocab-size 300 -q 2> /dev/null; for h in 4 8 16 32; do gen-train --data t.safetensors --model lstm --layers 1 --hidden $h --batch 8 --seq 20 --steps 80 -o l$h -q; done; gen-train --data t.safetensors --model transformer --layers 1 --heads 2 --dim 16 --context 16 --batch 8 --steps 80 -o tr -q; gen-train --data t.safetensors --model ngram --order 2 -o n2 -q
$ gen-collect synth:shapes --limit 400 -o shapes -q; gen-preprocess shapes -o x.safetensors --size 8 --channels 1 -q 2> /dev/null; for h in 4 8 16 32; do gen-train --data x.safetensors --model vae --hidden $h --latent 2 --steps 60 -o v$h -q; done; gen-train --data x.safetensors --model gan --channels 4 --batch 16 --steps 5 -o g -q

# The run that a hand computation picks, of each kind; its figures are gen-train's to the last digit.
$ gen-select l4 l8 l16 l32 tr n2 -o best -q && [ "$(readlink best)" = "$(python3 hand.py best val_loss l4 l8 l16 l32 tr n2)" ] && python3 hand.py equal val_loss best.json && ls best/model.safetensors
< the same, and in order
< best/model.safetensors
$ grep -o '"pieces": [0-9]*' best.json | sort -u | grep -c '[0-9][0-9]' # the same for all models, so that they are compared piece by piece
< 1
$ gen-select v4 v8 v16 v32 -o best-v -q && [ "$(readlink best-v)" = "$(python3 hand.py best bits_per_dim v4 v8 v16 v32)" ] && python3 hand.py equal bits_per_dim best-v.json
< the same, and in order
$ gen-select l4 l8 l16 --metric bpc -o best-b -q && python3 hand.py equal bpc best-b.json
< the same, and in order

# A table for people: on standard output, or beside an output file on standard error.
$ gen-select l8 n2 l32
<~ ^rank  run  model  val_loss  +95 %  params  +ms +bytes$
<~ ^   1  n2   ngram    [12]\.[0-9]{4}  [12]\.[0-9]{4} to [12]\.[0-9]{4} +[0-9,]+ +[0-9.]+ +[0-9,]+  >\*$
<~ ^   2  l32  lstm  .* 10,983 +[0-9.]+  4[56],[0-9]{3}$
<~ ^   3  l8   lstm  .* 1,239 
< n2 is chosen: it is the best, and can be told apart from all others
< > chosen  = cannot be told apart from the best  * none is as good with fewer parameters
$ gen-select l8 l32 -o shown
!~ ^rank  run  model  val_loss 
!*
!~ ^l32 is chosen: 
!*

# Runs that cannot be told apart: the one with fewer parameters, and why.
$ gen-train --data x.safetensors --model vae --hidden 31 --latent 2 --steps 60 -o v31 -q; gen-select v32 v31 -o close -q && readlink close && grep -o '"why": "[^"]*"\|"tied": [2-9]' close.json
< v31
< "why": "fewer parameters"
< "tied": 2

# The same choice, and the same best.json but for what is measured, for any number of threads.
$ for n in 1 3; do gen-select l4 l8 l16 l32 tr n2 --threads $n -o t$n -q; python3 hand.py still t$n.json > still$n; done; cmp still1 still3 && grep -c '"ranking"' still3 && ls -d t?.json
< 1
< t1.json
< t3.json

# Limits leave runs out, and say so; none is left.
$ gen-select l4 l8 l16 l32 --max-params 2000 -q | sed -n '2,$p' | grep -v '^>'
<~ ^   1  l8 
<~ ^   2  l4 
< l8 is chosen: it is the best, and can be told apart from all others
< left out: l16: 3,463 parameters, --max-params is 2,000
< left out: l32: 10,983 parameters, --max-params is 2,000
$ gen-select l4 l8 --max-bytes 4k -q | tail -n 3
< l4 is chosen: it is the only one within the limits
<~ ^left out: l8: 6,[0-9]{3} bytes, --max-bytes is 4,000$
< > chosen  = cannot be told apart from the best  * none is as good with fewer parameters
$ gen-select l4 --max-ms 0.000001
!~ ^gen-select: no run is left to choose from; l4: [0-9.]+ ms a sample, --max-ms is 0.000001$
? 3

# What cannot be compared: other data, other tokenisers, other likelihoods, no likelihood at all.
$ gen-select l4 v4
!~ ^gen-select: l4 and v4 cannot be compared: t.safetensors holds text, hash [0-9a-f]{12}, and x.safetensors images, hash [0-9a-f]{12}$
? 1
$ gen-collect synth:couplets --max-bytes 20k -o other -q; gen-preprocess other -o o.safetensors -q 2> /dev/null; gen-train --data o.safetensors --model ngram -o on -q; gen-select n2 on
!~ ^gen-select: n2 and on cannot be compared: t.safetensors and o.safetensors hold different texts \(hashes [0-9a-f]{12} and [0-9a-f]{12}\)$
? 1
$ gen-preprocess verses -o half.safetensors --val 0.5 -q 2> /dev/null; gen-train --data half.safetensors --model ngram -o hn -q; gen-select n2 hn
!~ hold the same text, but hold out other parts of it
? 1
$ gen-train --data b.safetensors --model lstm --layers 1 --hidden 16 --batch 8 --seq 20 --steps 80 -o b16 -q; gen-select l32 b16 --metric val_loss
!*
! gen-select: l32 and b16 have different tokenisers, so their val_loss cannot be compared; --metric bpc can
? 2
$ gen-select l32 l8 b16 | head -n 1 | cut -c 1-28
< rank  run  model     bpc    
$ gen-train --data x.safetensors --model vae --hidden 8 --binarize dynamic --latent 2 --steps 20 -o vb -q; gen-select v8 vb
!~ ^gen-select: v8 and vb cannot be compared: binarize is none of the one and dynamic of the other
? 1
$ gen-select v8 g
! gen-select: g: a gan has no likelihood, so there is no loss of it; --metric frechet compares what models draw
? 1
$ gen-select v8 --metric bpc; gen-select l4 --metric frechet; gen-select l4 t.safetensors
! gen-select: --metric bpc is not of images
! gen-select: --metric frechet is not of text
! gen-select: t.safetensors: it is no run folder, as gen-train -o makes
? 2
$ cp -r l4 moved; cp o.safetensors kept; gen-select moved --data o.safetensors
!~ ^gen-select: moved: it learned from a dataset of hash [0-9a-f]{12}, and o.safetensors is of hash [0-9a-f]{12} now; give the former with --data$
? 1
$ gen-select l4 --split test
! gen-select: l4: t.safetensors has no test split to judge by; make one with gen-preprocess --test 0.1
? 1

# The link: relative, replaced by --force only, never over something else; --deps.
$ mkdir -p deep/er && gen-select l4 -o deep/er/best -q --deps deep/er/best.d && readlink deep/er/best && ls deep/er/best/result.json && sed -n 1p deep/er/best.d
< ../../l4
< deep/er/best/result.json
<~ ^deep/er/best.json: 
$ gen-select l8 -o deep/er/best
! gen-select: deep/er/best is there already; --force replaces it
? 1
$ gen-select l8 -o deep/er/best --force -q && readlink deep/er/best; gen-select l8 -o l4 --force
< ../../l8
! gen-select: l4 is there already and is no link; name another
? 1

# A split that is too small to say how far figures may be off.
$ printf 'hello world, hello you, hello me' > hi.txt; gen-collect hi.txt -o hi -q; gen-preprocess hi -o hi.safetensors -q 2> /dev/null; gen-train --data hi.safetensors --model ngram -o hi-n -q 2> /dev/null; gen-train --data hi.safetensors --model lstm --hidden 8 --batch 1 --seq 8 --steps 5 -o hi-l -q 2> /dev/null; gen-select hi-n hi-l | grep chosen:
<~ ^hi-[nl] is chosen: its figure is the best, as far as one piece tells$
! gen-select: warning: the split falls into 1 piece: nobody knows how far the figures may be off; a larger one says more

# Files that are read are not written over, whatever they are called; what cannot be written is told before the work.
$ cp -r l4 own; gen-select own -o made --deps ./own/model.safetensors; gen-select own -o made --deps "$PWD/t.safetensors"; gen-select own -o own/config --force; cmp l4/model.safetensors own/model.safetensors && cmp l4/config.json own/config.json; ls -d made*
!~ ^gen-select: \./own/model\.safetensors is read here; give the output another name$
!~ ^gen-select: .*/t\.safetensors is read here; give the output another name$
! gen-select: own/config lies in a run folder; choose another place
!*
? 2
$ gen-select l4 -o no/where; gen-select l4 -o made --deps no/where.d; ls -d made* no
! gen-select: cannot write no/where.json: there is no folder no; make it first
! gen-select: cannot write no/where.d: there is no folder no; make it first
!*
!*
? 2
$ TG_FAULT=rename:2:EIO gen-select l4 -o made -q; ls -d made* # no ranking without its link: the next try finds nothing in its way
!~ ^gen-select: .*made.*
!*
? 2
$ TG_FAULT=fsync:3:EIO gen-select l4 -o made -q; ls -d made*; rm made* # the link is there: so is its ranking
< made
< made.json
!~ ^gen-select: cannot fsync the folder of made: 

# Who has no likelihood is compared by what it draws: as gen-evaluate measures it.
$ gen-collect synth:points:moons --limit 1000 -o pts -q; gen-preprocess pts -o p.safetensors -q 2> /dev/null; gen-train --data p.safetensors --model gan --hidden 8 --steps 20 -o pg -q; gen-train --data p.safetensors --model vae --hidden 8 --latent 2 --steps 100 -o pv -q; gen-select pv pg --metric frechet -o drawn -q; gen-evaluate pv pg --metrics frechet --json -q > judged; python3 -c 'import json; by = {r["run"]: r["metrics"]["frechet"]["value"] for r in json.load(open("judged"))["runs"]}; d = json.load(open("drawn.json")); assert {r["run"]: r["value"] for r in d["ranking"]} == by; assert d["chosen"] == min(by, key=by.get) and d["metric"] == "frechet"; print("the same")'
< the same
$ gen-select pv pg --metric kernel -q | head -n 3
<~ ^rank  run  model  +kernel
<~ ^   1  p[gv] +(gan|vae) +[-0-9.]+ +[-0-9.]+ to [-0-9.]+ 
<~ ^   2  p[gv] 

# A run that broke down is left out, by name; a file that names itself is named once.
$ cp -r l8 broken; python3 broken.py broken/model.safetensors; gen-select l4 broken -q | sed -n '2,4p'; gen-select broken; printf x >> broken/model.safetensors; gen-select l4 broken
<~ ^   1  l4 
< l4 is chosen: it is the only one within the limits
< left out: broken: its val_loss is no finite number: its training broke down, or the split is too small
! gen-select: no run is left to choose from; broken: its val_loss is no finite number: its training broke down, or the split is too small
!~ ^gen-select: broken/model\.safetensors: [^:]*
? 1

# What --keep left is looked at, too, and is a model, too.
$ gen-preprocess other -o few.safetensors --val 0.5 -q 2> /dev/null; gen-train --data few.safetensors --model lstm --layers 1 --hidden 64 --batch 4 --seq 20 --steps 200 --lr 1e-2 --eval-every 200 --save-every 25 --keep 10 -o k -q; gen-select k -o kbest > /dev/null 2> said; cat said | head -n 1; python3 -c 'import json; print(json.load(open("kbest.json"))["ranking"][0]["checkpoint"])' > which; grep -c '^k/states/[0-9]*.safetensors$' which; gen-sample "$(cat which)" --length 20 -q | wc -m; gen-evaluate "$(cat which)" --data few.safetensors --metrics val_loss --json -q > it; python3 -c 'import json; print(json.load(open("it"))["runs"][0]["metrics"]["val_loss"]["value"] == json.load(open("kbest.json"))["ranking"][0]["checkpoint_value"])'
<~ ^gen-select: warning: k/states/[0-9]*.safetensors does better than k/model.safetensors, which is what counts here; it is a model, too: gen-sample k/states/[0-9]*.safetensors$
< 1
< 21
< True

# What to train: the first is the first to try, a command works; what cannot be learned from.
$ gen-select --recommend t.safetensors --json -q > told; python3 -c 'import json; r = json.load(open("told"))["recommended"]; print(*[x["model"] for x in r]); assert all(x["why"] and x["bytes"] > 0 and x["measured_seconds"] > 0 and x["params"] > 0 for x in r); print(r[3]["command"])' | tee command; mkdir runs; sed -n '$p' command > run; sh run 2> /dev/null && ls runs
< lstm gru transformer ngram rnn
< gen-train --data t.safetensors --model ngram -o runs/ngram
< ngram
$ cp x.safetensors "it's x.safetensors"; gen-select --recommend "it's x.safetensors" -q | grep '^[1-9]\|gen-train'
<~ ^1\. vae: learns steadily
<    gen-train --data 'it'\''s x.safetensors' --model vae -o runs/vae
<~ ^2\. gan: draws sharp
<    gen-train --data 'it'\''s x.safetensors' --model gan -o runs/gan
$ printf 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' > same.txt; gen-collect same.txt -o same -q; gen-preprocess same -o same.safetensors -q 2> /dev/null; gen-select --recommend same.safetensors
! gen-select: same.safetensors: the text repeats a single symbol, there is nothing to learn; give it other text
? 1
$ printf 'hello world' > hello.txt; gen-collect hello.txt -o hello -q; gen-preprocess hello -o hello.safetensors --val 0 -q 2> /dev/null; gen-select --recommend hello.safetensors -q | grep '^[0-9h]'
< hello.safetensors: 11 tokens to train on
<~ ^1\. ngram: counts
<~ ^2\. rnn: .* split train has 11 tokens
<~ ^3\. lstm: .* split train has 11 tokens
<~ ^4\. gru: 
<~ ^5\. transformer: 
$ gen-select --recommend t.safetensors l4; gen-select
! gen-select: --recommend FILE stands alone, without runs and -o
! gen-select: RUN is missing: run folders to choose from, or --recommend FILE
? 2
