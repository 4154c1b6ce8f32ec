# gen-tune advise: too high a rate. The range test finds where it blows up, and a short training that less is better.
$ gen-collect synth:verses --max-bytes 480k -o verses -q; gen-preprocess verses -o v.safetensors -q 2> /dev/null
$ sh $TINYGEN_SRC/tests/support/advise_case.sh high v.safetensors --train-share 0.5 --hidden 32 --seq 25 --steps 600 --lr 0.3 --min-lr 0.03
< "verdict": "parameters", "advice": "a lower rate"
< within 3 %
$ grep -A 1 '^rate' high.txt
<~ ^rate      0\.3; in a range test the loss falls fastest at 0\.0[0-9]+, blows up at 0\.[0-9]+, so about 0\.0[0-9]+ is worth trying
<~ the run's rate (may be too high|is where training breaks down)$
$ tail -n 1 high.txt # the rate that it falls to goes down with it: it was a tenth
<~ gen-train --config high/config\.json --lr (0\.0?[0-9]+) --min-lr 0\.0?0[0-9]+ -o high\.advice/applied$
