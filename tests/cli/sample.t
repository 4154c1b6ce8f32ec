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
