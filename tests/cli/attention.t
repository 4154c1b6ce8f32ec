# gen-sample --attention: a page of what a Transformer looked at
skip unless command -v python3
$ cat > lib.sh <<'END'
> page=$TINYGEN_SRC/tests/support/attention_page.py ref=$TINYGEN_SRC/tests/golden/llama2_reference.py
> # page FILE: its figures, tokens and their kinds; the last line, log-probabilities, goes to a file
> page() { python3 $page "$@" > said && tail -n 1 said > drawn && sed '$d' said; }
> END
$ gen-collect synth:verses --max-bytes 12k --licence CC0-1.0 -o corpus -q && gen-preprocess corpus -o x.safetensors -q
$ gen-train --data x.safetensors --model transformer --layers 2 --heads 4 --kv-heads 2 --dim 16 --context 16 --batch 4 --steps 40 -o a -q

# The page shows the prompt and what was drawn; the text is that which is drawn without it, probabilities are those of jsonl.
$ . ./lib.sh; gen-sample a --prompt 'The ' --length 8 --seed 2 > plain && gen-sample a --prompt 'The ' --length 8 --seed 2 --attention a.html | cmp - plain && page a.html | sed 's/e| |.*/e| |.../'
< 2 x 4, 12 of 12 from 0, context 16
< T|h|e| |...
< 111122222222
$ gen-sample a --prompt 'The ' --length 8 --seed 2 --format jsonl > x.jsonl; gen-sample a --prompt 'The ' --length 8 --seed 2 --format jsonl --attention b.html | cmp - x.jsonl && cmp a.html b.html && sed 's/.*"log_probs": \(.*\)}/\1/' x.jsonl | cmp - drawn && echo same
< same
$ gen-sample a --prompt 'The ' --probs --length 3 > x.probs; gen-sample a --prompt 'The ' --probs --length 3 --attention p.html | cmp - x.probs && echo same
< same
$ for threads in 1 3; do gen-sample a --prompt 'The ' --length 8 --seed 2 --threads $threads --attention b.html --force > /dev/null; cmp a.html b.html && echo same; done
< same
< same

# Every share is that of a forward pass in plain Python: layers, grouped heads and the order of both.
$ . ./lib.sh; python3 $ref pieces tok.bin 300; python3 $ref make b.bin 2 24 40 3 4 2 -300 120 && gen-convert b.bin --tokenizer tok.bin -o b.safetensors -q && gen-sample b.safetensors --temperature 0 --length 20 --json --attention b.html --force | sed 's/.*"tokens": \[\([^]]*\)\].*/1, \1/' > ids; page b.html like b.bin "$(cat ids)" | head -n 1
< 3 x 4, 21 of 21 from 0, context 120

# Longer than the context, and than a page; the prompt's end is in it.
$ . ./lib.sh; gen-sample a --prompt 'The ' --length 60 --seed 2 -q > plain && gen-sample a --prompt 'The ' --length 60 --seed 2 -q --attention l.html | cmp - plain && page l.html | head -n 1
< 2 x 4, 64 of 64 from 0, context 16
$ . ./lib.sh; gen-sample a --prompt 'The ' --length 700 -q --attention m.html > /dev/null && page m.html | head -n 1; cat plain plain plain plain plain plain plain plain plain plain | head -c 600 > long && gen-sample a --prompt-file long --length 700 -q --attention n.html > /dev/null && page n.html | head -n 1; tail -n 2 said | head -n 1 | tr -d 2 | wc -c | tr -d ' '; gen-sample a --prompt-file long --length 1 -q --attention o.html > /dev/null && page o.html | head -n 1
< 2 x 4, 512 of 704 from 0, context 16
< 2 x 4, 512 of 1300 from 344, context 16
< 257
< 2 x 4, 512 of 601 from 89, context 16

# The shortest of all; only the first of several; guided, with documents, classes whose names are markup, and their end.
$ . ./lib.sh; gen-sample a --length 1 --attention one.html -n 3 2> said2 | wc -l | tr -d ' '; cat said2; page one.html | sed -n '1p;3p'
< 6
< --attention shows the first of 3 samples
< 2 x 4, 2 of 2 from 0, context 16
< 02
$ for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo "$i 春眠不觉晓" >> ab; echo "$i <b>&amp;</script>" >> cd; done
$ gen-collect ab -o cab -q --label '</script><img src=x onerror=alert(1)>' && gen-collect cd -o ccd -q --label '<!--' && gen-preprocess cab ccd -o y.safetensors --documents line --dedupe off --tokenizer byte -q 2> said
$ gen-train --data y.safetensors --model transformer --layers 1 --heads 2 --dim 16 --context 64 --batch 8 --steps 300 --dropout 0 --lr 0.01 -o '<r>' -q
$ . ./lib.sh; gen-sample '<r>' --label '</script><img src=x onerror=alert(1)>' --guidance 2 --temperature 0 --prompt '3 春' -q --attention r.html; page r.html
< 3 春眠不觉晓
< 1 x 2, 20 of 20 from 0, context 64
< <start>|</script><img src=x onerror=alert(1)>|3| |\xE6(春)|\x98(春)|\xA5(春)|\xE7(眠)|\x9C(眠)|\xA0(眠)|\xE4(不)|\xB8(不)|\x8D(不)|\xE8(觉)|\xA7(觉)|\x89(觉)|\xE6(晓)|\x99(晓)|\x93(晓)|<end>
< 00111112222222222222
$ . ./lib.sh; gen-sample '<r>' --label '<!--' --temperature 0 --prompt '3 ' -q --attention s.html; page s.html | sed -n 2p
< 3 <b>&amp;</script>
< <start>|<!--|3| |<|b|>|&|a|m|p|;|<|/|s|c|r|i|p|t|>|<end>

# Samples behind the one that is looked at are those that they are without it, whether all begin in the same way or not.
$ for run in a '<r>'; do gen-sample "$run" -n 5 --length 30 --seed 3 -q > plain; gen-sample "$run" -n 5 --length 30 --seed 3 -q --attention v.html --force | cmp - plain && echo same; done
< same
< same

# Refused: models that have no attention, a page that is there or cannot be, and then there is no text either.
$ gen-train --data x.safetensors --model gru --hidden 8 --layers 1 --batch 4 --seq 10 --steps 1 -o g -q; gen-sample g --attention no.html
! gen-sample: --attention shows what a Transformer looks at; a model of kind gru has no attention
? 2
$ gen-train --data x.safetensors --model ngram -o ng -q; gen-sample ng --attention no.html
! gen-sample: --attention shows what a Transformer looks at; a model of kind ngram has no attention
? 2
$ gen-sample a --length 5 --attention a.html
! gen-sample: a.html is there already; --force replaces it
? 1
$ gen-sample a --length 5 --attention -
! gen-sample: --attention writes a page beside the text; name a file of its own, such as look.html
? 2
$ gen-sample a --length 5 --attention x.html -o x.html
! gen-sample: --attention writes a page beside the text; name a file of its own, such as look.html
? 2
$ gen-sample a --length 5 -o o.txt --attention nowhere/no.html
!~ gen-sample: .*nowhere/no\.html.*
? 1
$ ls no.html o.txt nowhere 2> /dev/null
? 2
