# gen-train --model ngram: one pass, the same files as other models but for the state, the same gen-sample
$ gen-collect synth:verses --max-bytes 12k --licence CC0-1.0 -o corpus -q && gen-preprocess corpus -o x.safetensors -q
$ gen-train --model ngram --help | grep -c -e '--order'
< 1
$ gen-train --data x.safetensors --model ngram -o a -q && ls a
< config.json
< log.jsonl
< model.safetensors
< result.json
< samples
$ cat a/config.json
< {"data": "x.safetensors", "model": "ngram", "train_share": 1, "order": 6}
$ grep -c '^{"step": 1, "epoch": 1, "tokens": [0-9]*, "train_loss": null, "val_loss": [0-9.]*, "bpc": [0-9.]*, "lr": null' a/log.jsonl; wc -l < a/log.jsonl | tr -d ' '
< 1
< 1
$ grep -c '"model": "ngram", "stopped": "steps", "steps": 1, .*"val_loss": [0-9.]*, .*"params": [0-9]*, "peak_bytes": [0-9]*, "model_sha256": "[0-9a-f]*"}' a/result.json
< 1
$ wc -c < a/samples/000001.txt | tr -d ' '
< 401

# It says what it is doing, and which options do nothing.
$ gen-train --data x.safetensors --model ngram --order 3 --lr 0.1 --eval-every 5 --init nowhere --seed 4 -o b
! gen-train: warning: --lr, --eval-every, --init: of no use to ngram, which learns in one pass
!~ ngram of [0-9,]+ parameters from [0-9,]+ training tokens
!~ val [0-9.]+  bits/char [0-9.]+
$ gen-train --data x.safetensors --model ngram --order 9 -o c
!~ gen-train: --order 9: must be .*
? 2
$ gen-train --data x.safetensors --model ngram -n | cut -c 1-22
< model                 
< training tokens       
< memory, at the most   
$ gen-train --data x.safetensors --model ngram -n --json | grep -c '"model": "ngram", "steps": 1, "bytes": [0-9.]*, "settings": {"train_share": 1, "order": 6}}'
< 1

# The same bytes whatever the seed and the number of threads, and from the run's own config.
$ gen-train --data x.safetensors --model ngram --threads 3 --seed 9 -o d -q && cmp a/model.safetensors d/model.safetensors && echo same
< same
$ gen-train --config a/config.json -o e && cmp a/model.safetensors e/model.safetensors && echo same
!*
< same

# Resuming a run that has ended changes nothing; what is lost or damaged comes back; another model is refused.
$ ls -l --time-style=full-iso a > before; gen-train --resume -o a -q --json | cmp - a/result.json && ls -l --time-style=full-iso a | cmp - before && echo same
< same
$ cp a/model.safetensors kept && rm a/model.safetensors && gen-train --resume -o a -q && cmp kept a/model.safetensors && echo same
< same
$ printf 'X' | dd of=a/model.safetensors bs=1 seek=9000 conv=notrunc 2>/dev/null; gen-train --resume -o a -q && cmp kept a/model.safetensors && echo same
< same
$ rm a/result.json && gen-train --resume -o a -q && cmp kept a/model.safetensors && grep -c model_sha256 a/result.json
< 1
$ gen-train --resume -o a --order 5
! gen-train: a cannot go on: its setting order is 6, but now it would be 5; give --order 6, or start anew with --force
? 1
$ gen-collect synth:verses --max-bytes 12k --seed 2 --licence CC0-1.0 -o corpus2 -q && gen-preprocess corpus2 -o y.safetensors -q
$ gen-train --resume -o a --data y.safetensors
!~ gen-train: .*(content hash|vocabular).*
? 1
$ gen-train --data x.safetensors --model ngram -o a
!~ gen-train: a holds a run already; --resume goes on with it, --force replaces it
? 1
$ gen-train --data x.safetensors --model ngram --order 2 -o a --force -q && grep -c '"order": 2' a/config.json
< 1

# A kill at any call leaves nothing half-written: what is there can be read, and resuming ends as if nothing had been.
$ n=0; while n=$((n + 1)); rm -rf k; TG_FAULT=kill:$n gen-train --data x.safetensors --model ngram --order 3 -o k -q 2>/dev/null; [ $? -ne 0 ]; do
> gen-train --data x.safetensors --model ngram --order 3 -o k -q --resume && cmp k/model.safetensors b/model.safetensors || echo "killed at $n"
> done 2>&1; [ $n -gt 20 ] && echo killed at each call
< killed at each call
$ find k -name '.*tmp*'

# Sampling: prompts, temperature 0, many at once or alone, how likely the next tokens are.
$ gen-train --data x.safetensors --model ngram -o s -q && gen-sample s --prompt 'The ' --length 30 > one && head -c 4 one && gen-sample s/model.safetensors --prompt 'The ' --length 30 | cmp - one && echo same
< The same
$ gen-sample s --prompt 'The ' --temperature 0 --length 20 --seed 1 > cold && gen-sample s --prompt 'The ' --top-k 1 --length 20 --seed 2 | cmp - cold && echo same
< same
$ gen-sample s --length 20 -n 3 --seed 5 --format jsonl > all.jsonl && gen-sample s --length 20 --first 2 --seed 5 --format jsonl > third && tail -n 1 all.jsonl | cmp - third && echo same
< same
$ gen-sample s --prompt 'The ' --probs --length 2 | grep -c '^\* '
< 2

# Another model cannot start from it, and it says so.
$ gen-train --data x.safetensors --model gru --init s --steps 5 -o t -q
! gen-train: --init s: its model is ngram, not gru; give --model ngram
? 1

# Lying files: the settings say more than the tensors hold.
$ sed 's/"order\\": 6/"order\\": 7/' s/model.safetensors > lie.safetensors; gen-sample lie.safetensors --length 3
!~ gen-sample: lie\.safetensors: .*
? 1
$ head -c 5000 s/model.safetensors > cut.safetensors; gen-sample cut.safetensors
!~ gen-sample: cut\.safetensors: .*
? 1

# Without validation: no loss is claimed.
$ gen-preprocess corpus -o no.safetensors --val 0 -q 2>/dev/null; gen-train --data no.safetensors --model ngram -o n --json 2>/dev/null | grep -c '"val_loss": null'
< 1
