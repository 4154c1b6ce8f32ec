# gen-sample: messages and exit codes
$ gen-collect synth:verses --max-bytes 12k --licence CC0-1.0 -o corpus -q
$ gen-preprocess corpus -o x.safetensors -q
$ gen-train --data x.safetensors --model gru --hidden 16 --batch 4 --seq 10 --steps 20 -o a -q
$ gen-sample nowhere
!~ gen-sample: .*nowhere.*
? 1
$ gen-sample a --temprature 1
! gen-sample: unknown option --temprature (did you mean --temperature?)
? 2
$ gen-sample a --prompt 'a汉b'
!~ gen-sample: .*U\+6C49.*
? 1
$ gen-sample a --prompt 'a汉b' --unk skip --length 3 --seed 2 > one.txt
# The unknown token of --min-count is for training data: a prompt's character is no less an error, and skipped it leaves nothing but its echo.
$ gen-preprocess corpus -o rare.safetensors --min-count 400 -q; gen-train --data rare.safetensors --model ngram -o rare -q; gen-sample rare --prompt 'aQ'
! gen-sample: the prompt: character 'Q' (U+0051) at byte 1 is not in the vocabulary: the training data do not have it, or too seldom (--min-count); leave it out (--unk skip)
? 1
$ gen-sample rare --prompt 'aQ' --unk skip --length 9 | sed 's,Q,,' > with; gen-sample rare --prompt a --length 9 > without; cmp with without && echo same
< same
$ gen-sample a --length 20 -n 3 --seed 5 --format jsonl > all.jsonl
$ gen-sample a --length 20 -n 1 --first 2 --seed 5 --format jsonl > third.jsonl
$ tail -n 1 all.jsonl | cmp - third.jsonl && echo same
< same
$ head -c 700 a/model.safetensors > cut.safetensors
$ gen-sample cut.safetensors
!~ gen-sample: .*cut\.safetensors.*
? 1
$ cp a/model.safetensors flip.safetensors && printf 'X' | dd of=flip.safetensors bs=1 seek=6000 conv=notrunc 2>/dev/null
$ gen-sample flip.safetensors
!~ gen-sample: .*flip\.safetensors.*
? 1
$ gen-sample a --length 5 > /dev/full
!~ gen-sample: .*(No space left|standard output).*
? 1
$ gen-sample a --length 100000 | head -c 10 > ten.txt; wc -c < ten.txt | tr -d ' '
< 10
$ gen-sample a --length 5 -o out.txt -q && gen-sample a --length 5 -o out.txt -q
!~ gen-sample: .*out\.txt.*--force.*
? 1

# Prompts from everywhere give the same text.
$ gen-sample a --prompt 'The ' --length 30 > from_text && printf 'The ' | gen-sample a - --length 30 | cmp - from_text && echo same
< same
$ printf 'The ' > prompt && gen-sample a --prompt-file prompt --length 30 | cmp - from_text && echo same
< same
$ gen-sample a/model.safetensors --prompt 'The ' --length 30 | cmp - from_text && echo same
< same
$ head -c 4 from_text
< The 
$ gen-sample a --prompt 'The ' - --length 3
! gen-sample: --prompt, --prompt-file and - all give a prompt; give one of them
? 2
$ gen-sample a b c
!~ gen-sample: unexpected argument .*
? 2
$ gen-sample
!~ gen-sample: RUN\|model\.safetensors is missing: .*
? 2
$ printf 'ab\377cd' | gen-sample a -
!~ gen-sample: the prompt: .*byte 2.*
? 1
$ gen-sample a/state.safetensors --length 20 -q > of_state; gen-sample a --length 20 -q | cmp - of_state; gen-train --data x.safetensors --model lstm --init a/state.safetensors -o from_state # the last step's weights, which here are the best
!~ gen-train: --init: a/state\.safetensors: this is a training state, not a model; .*
? 1
$ gen-sample x.safetensors
!~ gen-sample: x\.safetensors: there is no model in it; .*
? 1
$ mkdir empty && gen-sample empty
!~ gen-sample: empty: no model\.safetensors in this folder; .*
? 1

# Samples: many have headings, stop texts are not shown, and a stopped sample is a beginning of the whole.
$ gen-sample a -n 2 --length 3 --seed 4 | grep -c '^--- sample [01] ---$'
< 2
$ gen-sample a --length 200 --seed 4 --format jsonl > whole.jsonl; gen-sample a --length 200 --seed 4 --stop e --format jsonl > stopped.jsonl
$ grep -c '"stopped": "stop"' stopped.jsonl; grep -c '"text": "[^"]*e[^"]*"' stopped.jsonl
< 1
< 0
? 1
$ gen-sample a --prompt 'The ' --temperature 0 --length 20 --seed 1 > one && gen-sample a --prompt 'The ' --temperature 0 --length 20 --seed 2 | cmp - one && echo same
< same

# How likely the next tokens are.
$ gen-sample a --prompt 'The ' --probs
<~ ^token 1: ".*"$
<~ ^[* ] ".*" +[0-9]+\.[0-9] %.*$
<*
$ gen-sample a --prompt 'The ' --probs --length 2 | grep -c '^\* '
< 2

# The result as one object.
$ gen-sample a --length 4 -n 2 --json | grep -c '"program": "gen-sample".*"sample": 0.*"log_probs": \[.*"sample": 1'
< 1
$ gen-sample a --length 5 -o deep.txt --deps deep.d --force -q && head -n 1 deep.d
< deep.txt: a/model.safetensors
$ gen-sample a --temperature -1
!~ gen-sample: --temperature -1: must be .*
? 2
$ gen-sample a --top-p 0
!~ gen-sample: --top-p 0: must be .*
? 2
$ gen-sample a --length 5 <&- | wc -c | tr -d ' '
<~ ^[56]$

# Every sample starts from nothing: what was seen in the one before does not count.
$ gen-sample a -n 2 --length 40 --repeat-penalty 3 --format jsonl | tail -n 1 > second && gen-sample a --first 1 --length 40 --repeat-penalty 3 --format jsonl | cmp - second && echo same
< same

# A stop text may be spread over tokens; the start of one at the very end is shown.
$ gen-sample a --prompt 'The ' --length 40 --seed 4 > text && stop=$(head -c 16 text | tail -c 3) && gen-sample a --prompt 'The ' --length 40 --seed 4 --stop "$stop" > cut && head -c 13 text > begin && echo >> begin && cmp begin cut && echo cut before it
< cut before it
$ gen-sample a --prompt 'The ' --length 40 --seed 4 --stop "$(tail -c 3 text | head -c 2)@" | cmp - text && echo whole
< whole

# What goes to a terminal is made safe; --raw lets it through; a pipe gets the bytes.
$ printf 'x\033[31my\n%.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 > esc && gen-collect esc --licence CC0-1.0 -o escs -q && gen-preprocess escs --raw -o esc.safetensors -q 2> said; gen-train --data esc.safetensors --model rnn --hidden 8 --layers 1 --batch 1 --seq 8 --steps 300 -o e -q
$ gen-sample e --prompt x --temperature 0 --length 8 | od -An -c | tr -s ' '
<  x 033 [ 3 1 m y \n x \n
$ if command -v script > /dev/null; then script -qec 'gen-sample e --prompt x --temperature 0 --length 5' /dev/null < /dev/null; else echo 'x\x1B[31m'; fi | tr -d '\r'
< x\x1B[31m
$ if command -v script > /dev/null; then script -qec 'gen-sample e --prompt x --temperature 0 --length 5 --raw' /dev/null < /dev/null; else printf 'x\033[31m\n'; fi | tr -d '\r' | od -An -c | tr -s ' '
<  x 033 [ 3 1 m \n

# What make is told, make understands.
$ printf 'The ' > 'a prompt #1' && gen-sample a --prompt-file 'a prompt #1' --length 5 -o 'out 1.txt' --deps p.d -q && cat p.d
< out\ 1.txt: a\ prompt\ \#1 a/model.safetensors
< a\ prompt\ \#1 a/model.safetensors:
$ printf 'include p.d\nout\\ 1.txt: ; @echo anew\n' > mk && touch -t 203001010000 'a prompt #1' && make -s -f mk 'out 1.txt'
< anew
$ cp 'a prompt #1' 'a;b' && gen-sample a --prompt-file 'a;b' --length 5 -o out2.txt --deps p.d -q && cat p.d
!~ gen-sample: warning: --deps leaves out a;b: make cannot be told such a name
< out2.txt: a/model.safetensors
< a/model.safetensors:
$ gen-sample a --length 5 --deps p.d
!~ gen-sample: --deps names what an output was made of; add -o PATH
? 2
$ gen-sample a --length 5 --probs --format jsonl
!~ gen-sample: --probs draws a picture .*
? 2
