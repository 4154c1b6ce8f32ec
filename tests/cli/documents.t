# Documents from the corpus to the sample: start, end, classes.

$ printf 'abab\nabab!\n%.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 > a.txt; printf 'cdcdcd\n%.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 > c.txt
$ gen-collect a.txt -o ca -q --label first && gen-collect c.txt -o cc -q --label second && gen-preprocess ca cc -o x.safetensors --documents line --dedupe off -q 2> said
$ gen-train --data x.safetensors --model gru --hidden 16 --layers 1 --batch 4 --seq 8 --steps 400 --dropout 0 -o r 2>&1 | grep stateful
< stateful streams: truncated BPTT over 8 steps, state carried on to the end of each document

# A gradient of documents has a copy of the states in front of every step, 50 x 4 x 64 floats: a dry run counts it.
$ yes abab | head -n 400 > long.txt; gen-collect long.txt -o cl -q; for d in line none; do gen-preprocess cl -o $d.safetensors --documents $d --dedupe off -q 2> /dev/null; gen-train --data $d.safetensors --model lstm --hidden 64 --layers 1 --batch 4 --seq 50 --threads 1 --dry-run --json | tr -d ' ' | tr ',' '\n' | sed -n 's/^"activation_bytes"://p' > $d; done; test $(($(cat line) - $(cat none))) -ge $((50 * 4 * 64 * 4)) && echo counted
< counted

# A sample ends where its document does; the class decides what it is.
$ gen-sample r --label second --temperature 0
< cdcdcd
$ gen-sample r --label first --temperature 0 --prompt aba | cut -c 1-4
< abab
$ gen-sample r --label second --temperature 0 --format jsonl | grep -o '"text".*"stopped": "[a-z]*"'
< "text": "cdcdcd", "stopped": "end"
$ gen-sample r --label second --temperature 0 --length 3
< cdc

# Without --label, classes come as often as in training: here twice as many of the first. A sample is the same alone.
$ gen-sample r -n 300 --temperature 0.5 | grep -c '^c' | awk '{print ($1 > 60 && $1 < 140) ? "about a third" : $1}'
< about a third
$ gen-sample r -n 30 --format jsonl | tail -n 1 > last; gen-sample r --first 29 --format jsonl | cmp - last && echo same
< same

# Guidance brings out a class that few steps of training hardly know.
$ gen-train --data x.safetensors --model gru --hidden 16 --layers 1 --batch 4 --seq 8 --steps 60 --dropout 0 -o g -q; for w in 0 8; do gen-sample g --label second -n 200 --temperature 1 --guidance $w | grep -c '^[cd]' > $w; done; test $(cat 8) -gt $(cat 0) && echo more
< more
$ gen-sample g --label second --guidance 8 -n 30 --format jsonl | tail -n 1 > last; gen-sample g --label second --guidance 8 --first 29 --format jsonl | cmp - last && echo same
< same

# Nothing special is ever drawn or printed, however hot.
$ gen-sample r -n 50 --temperature 50 --length 40 | grep -v '^--- sample' | tr -d 'abcd!\n' | wc -c
< 0
$ gen-sample r --label second --probs --prompt cdcdcd --temperature 0 | head -n 2
< token 1: "<end>"
<~ ^\* "<end>" +[0-9.]+ %  #+$

# What a wrong class is told, and a model without any.
$ gen-sample r --label third
! gen-sample: no class third; there are: first, second
? 2
$ gen-preprocess ca -o plain.safetensors -q 2> said; gen-train --data plain.safetensors --model rnn --hidden 8 --layers 1 --batch 2 --seq 8 --steps 5 -o p -q; gen-sample p --label first
! gen-sample: p/model.safetensors knows no classes, so there is no --label; collect with labels and preprocess with --documents
? 2
$ gen-sample p --guidance 3
! gen-sample: p/model.safetensors knows no classes, so there is nothing for --guidance to tell apart
? 2

$ gen-preprocess ca cc -o few.safetensors --documents line --dedupe off --split document --val 0.4 -q 2> said; gen-train --data few.safetensors --model rnn --hidden 8 --layers 1 --batch 1 --seq 8 --steps 5 -o f -q; gen-sample f --label second --length 1 > said
!~ no training document is of class second: the model has not learned what it means

# Documents need a few tokens of time at least; a run on them goes on as if it had never stopped.
$ gen-train --data x.safetensors --model gru --seq 3 --batch 4 -o q -q
!~ x.safetensors has documents: they need --seq 4 at least
? 1
$ gen-train --data x.safetensors --model gru --hidden 16 --layers 1 --batch 4 --seq 8 --steps 400 --dropout 0 -o s -q --until 123 && gen-train -o s --resume --until 0 -q && cmp r/model.safetensors s/model.safetensors && echo same
< same

# The n-gram, too, starts and ends documents.
$ gen-train --data x.safetensors --model ngram --order 8 -o n -q && gen-sample n --label second --temperature 0
< cdcdcd
