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
$ gen-sample a/state.safetensors
!~ gen-sample: a/state\.safetensors: this is a training state, not a model; .*
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
