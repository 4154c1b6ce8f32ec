# A transformer on the command line: what it sees at once, and what comes behind it.

$ gen-collect synth:verses --max-bytes 12k --licence CC0-1.0 -o corpus -q && gen-preprocess corpus -o x.safetensors -q
$ gen-train --data x.safetensors --model transformer --layers 1 --heads 2 --dim 16 --context 16 --batch 4 --steps 40 -o a 2>&1 | grep windows
< windows of 16 tokens in an order that the seed draws

# A text may be longer than the context, and the model says how it does that; a short one is not told.
$ gen-sample a --prompt 'The ' --temperature 0 --length 60 > whole
! the model sees 16 tokens at once; behind these it goes on from the last half of them
$ wc -m < whole | tr -d ' '
< 65
$ gen-sample a --prompt 'The ' --length 8 2>&1 | wc -l | tr -d ' '
< 1

# However much of the text is given as the prompt, it goes on in the same way: at, before and behind each place where the context slides.
$ for k in 4 5 11 12 13 15 16 17 23 24 25 31 32 33 40 63; do head -c $k whole > begin; gen-sample a --prompt-file begin --temperature 0 --length $((64 - k)) -q | cmp - whole || echo "other text behind $k"; done

# The same sample alone and among others, behind a full context as well; with any number of threads.
$ gen-sample a -n 4 --length 60 --seed 3 --format jsonl -q | tail -n 1 > among; for threads in 1 2 3; do gen-sample a --first 3 --length 60 --seed 3 --threads $threads --format jsonl -q | cmp - among && echo same; done
< same
< same
< same

# Of more samples than go together each is what it is alone, too, where some end early; they come in order, as they do one by one.
$ gen-sample a -n 70 --length 30 --stop e --prompt 'The ' > all 2> said; for i in 0 1 63 64 69; do echo "--- sample $i ---"; gen-sample a --first $i --length 30 --stop e --prompt 'The ' -q; done > some
$ for i in 0 1 63 64 69; do grep -A 99 "^--- sample $i ---" all | sed -n '1p; 2,$ { /^--- sample/q; p }'; done | cmp - some && grep -c '^--- sample' all
< 70
$ gen-sample a -n 70 --length 30 --stop e --prompt 'The ' --threads 1 -q | cmp - all && echo same
< same

# Classes and guidance, in texts longer than the context.
$ for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo "$i abababababababababababababababababababababab" >> ab; echo "$i cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd" >> cd; done
$ gen-collect ab -o cab -q --label first && gen-collect cd -o ccd -q --label second && gen-preprocess cab ccd -o y.safetensors --documents line --dedupe off -q 2> said
$ gen-train --data y.safetensors --model transformer --layers 1 --heads 2 --dim 16 --context 16 --batch 8 --steps 300 --dropout 0 --lr 0.01 -o r -q
$ gen-sample r --label second --guidance 2 --temperature 0 --prompt '3 ' -q --length 30 | tr -d 'cd'
< 3 
$ gen-sample r --label first --guidance 2 --temperature 0 --prompt '3 ' -q --length 30 | tr -d 'ab'
< 3 
$ gen-sample r --guidance 3 -n 9 --length 60 --temperature 1 --format jsonl -q > all; gen-sample r --guidance 3 --first 8 --length 60 --temperature 1 --format jsonl -q > one; tail -n 1 all | cmp - one && echo same
< same

# Behind a full context it has read the last half, seven tokens here, and what opens the text: a prompt of that goes on with the same bits.
$ probs() { gen-sample r --label second --temperature 0 --format jsonl -q "$@" | sed 's/.*"log_probs": \[\(.*\)\].*/\1/'; }; gen-sample r --label second --temperature 0 --prompt '3 cdcdccddcdcd' --length 1 -q > one; probs --prompt '3 cdcdccddcdcd' --length 2 | sed 's/.*, //' > slid; probs --prompt "$(tail -c 9 one)" --length 1 | cmp - slid && tail -c 9 one
< cddcdcdc

# Settings that do not fit together are refused before anything is written.
$ gen-train --data x.safetensors --model transformer --dim 30 --heads 4 -o b
!~ gen-train: 4 heads do not share --dim 30 evenly.*
? 2
$ gen-train --data x.safetensors --model transformer --hidden 8 -o b
!~ gen-train: .*hidden.*
? 2
$ ls -d b 2> /dev/null
? 2
