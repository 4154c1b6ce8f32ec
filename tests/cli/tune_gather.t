# gen-tune gather: what a study is stands in the study, whatever it was made of.
$ gen-collect synth:verses --max-bytes 12k --licence CC0-1.0 -o corpus -q
$ gen-preprocess corpus -o "x y.safetensors" -q
$ printf '%s\n' 'gen-tune search "$@" -q > /dev/null && mv "$GATHERED/ranking.json" want && gen-tune gather -o "$GATHERED" -q && cmp want "$GATHERED/ranking.json"' > again.sh

$ GATHERED=a sh again.sh -o a --objective branin --strategy tpe --trials 6 --seed 5
$ GATHERED=b sh again.sh -o b --data "x y.safetensors" --space model=gru,lstm --space lr=1e-3:1e-1:log --space dropout=0,0.5 --trials 3 --steps 6 --layers 1 --batch 4 --seq 16
$ echo '{"hidden": [8, 16], "lr": "1e-3:1e-1:log:2"}' > space.json
$ GATHERED=c sh again.sh -o c --data "x y.safetensors" --model gru --space space.json --strategy grid --steps 6 --layers 1 --batch 4 --seq 16
$ GATHERED=d sh again.sh -o d --objective branin --strategy asha --steps 27 --trials 9 --lag 2 --rungs 2

# Nothing is started, and what has no result is left out.
$ rm -r a/trials/0005 a/study.jsonl
$ gen-tune gather -o a
!*
! a: 5 trials have ended so far
$ ls a/trials | wc -l
< 5
$ gen-tune gather -o corpus
! gen-tune gather: cannot open corpus/study.json: No such file or directory
? 1

# A study.json that is torn, or lacks what it must have.
$ sed 's/"fixed": {[^}]*}, //' b/study.json > torn; cp torn b/study.json; gen-tune gather -o b
! gen-tune gather: b/study.json: no study.json of ours
? 1
$ head -c 60 torn > b/study.json; gen-tune gather -o b
!~ ^gen-tune gather: b/study\.json:1:[0-9]+: 
? 1
