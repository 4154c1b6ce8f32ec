# gen-tune advise: the right lever on prepared runs, and what it predicts of twice the data
$ gen-collect synth:verses --max-bytes 480k -o verses -q; gen-preprocess verses -o v.safetensors -q 2> /dev/null; gen-collect synth:verses --max-bytes 120k -o few -q; gen-preprocess few -o few.safetensors -q 2> /dev/null
$ awk 'BEGIN { split("the cat sat on a mat by now", w, " "); x = 7; for (i = 0; i < 18000; i++) { x = x * 16807 % 2147483647; print w[int(x / 268435456) + 1] } }' > words.txt; gen-collect words.txt --licence CC0-1.0 -o words -q; gen-preprocess words -o w.safetensors -q 2> /dev/null

# Too small a model: twice the width, and nothing else, is what it lacks.
$ sh $TINYGEN_SRC/tests/support/advise_case.sh small v.safetensors --train-share 0.5 --hidden 6 --seq 25 --steps 1500 --lr 0.01 --min-lr 0.001
< "verdict": "architecture", "advice": "twice the width"
< within 3 %
$ grep -c 'op 2' small.txt; grep '^advice' small.txt; tail -n 1 small.txt
< 4
<~ ^advice: architecture \(twice the width\): validation loss 1\.[0-9]{4} in place of 1\.[0-9]{4}$
<~ gen-train --config small/config\.json --hidden 12 -o small\.advice/applied$

# Too little data. The run was held to a part of them, so --apply can train on twice as much, and does as the command does.
$ sh $TINYGEN_SRC/tests/support/advise_case.sh little few.safetensors --train-share 0.1 --hidden 48 --seq 25 --steps 1000 --lr 0.01 --min-lr 0.001
< "verdict": "data", "advice": "twice the data"
< within 3 %
$ tail -n 1 little.txt
<~ gen-train --config little/config\.json --train-share 0\.2 --steps 2000 -o little\.advice/applied$
$ gen-tune advise little -o little.advice --effort 4 --apply --threads 1 2>&1 > again.txt | grep -c 'applied: validation loss 0.*, predicted was 0'; cmp little.advice/applied/model.safetensors little.double/model.safetensors; grep -v '%\|time' again.txt > a; grep -v '%\|time' little.txt | cmp - a
< 1

# It over-fits; but dropout lies between layers, and it has one.
$ grep -c '^fit .*gap 0\.[1-9]' little.txt; grep -c 'more dropout' little.txt
< 1
< 0
? 1

# A good one: words by chance, whose entropy the run has reached.
$ sh $TINYGEN_SRC/tests/support/advise_case.sh good w.safetensors --train-share 0.5 --hidden 16 --seq 20 --steps 800 --lr 0.01 --min-lr 0.001
< "verdict": "good", "advice": null
< within 3 %
$ tail -n 1 good.txt; gen-tune advise good -o good.advice --effort 4 --apply -q > /dev/null
<~ ^good: nothing that was tried promises more than 0\.01[0-9]{2} nats \(the most: -?0\.0[0-9]{3}\)$
! gen-tune advise: nothing is advised, so there is nothing to apply
? 1
