# gen-train: messages and exit codes
$ gen-collect synth:verses --max-bytes 12k --licence CC0-1.0 -o corpus -q
$ gen-preprocess corpus -o x.safetensors -q
$ gen-collect synth:couplets --max-bytes 6k --licence CC0-1.0 -o zh -q
$ gen-preprocess zh -o zh.safetensors -q
$ gen-train --data nothing.safetensors --model lstm -o a
!~ gen-train: .*nothing\.safetensors.*
? 1
$ gen-train --data x.safetensors --model lsmt -o a
!~ gen-train: .*lsmt.*lstm.*
? 2
$ gen-train --data x.safetensors --model lstm --stepz 5 -o a
!~ gen-train: unknown option --stepz .*--steps.*
? 2
$ gen-train --data x.safetensors --model lstm --steps abc -o a
!~ gen-train: .*--steps.*abc.*
? 2
$ gen-train --data x.safetensors --model lstm --batch 200 --seq 500 -o a
!~ gen-train: .*(--batch|--seq).*
? 1
$ printf 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' > one.txt
$ gen-collect one.txt --licence CC0-1.0 -o one -q
$ gen-preprocess one -o one.safetensors -q
$ gen-train --data one.safetensors --model lstm --batch 1 --seq 5 -o a
!~ gen-train: .*single symbol.*
? 1
$ head -c 900 x.safetensors > cut.safetensors
$ gen-train --data cut.safetensors --model lstm -o a
!~ gen-train: .*cut\.safetensors.*
? 1
$ gen-train --data x.safetensors --model lstm --hidden 16 --batch 4 --seq 10 --steps 20 --eval-every 10 -o a -q
$ gen-train --data x.safetensors --model lstm --hidden 16 --batch 4 --seq 10 --steps 20 --eval-every 10 -o a -q
!~ gen-train: .*--resume.*
? 1
$ gen-train --data x.safetensors --model lstm --hidden 16 --batch 4 --seq 10 --steps 20 --eval-every 10 -o a -q --resume
$ gen-train --data x.safetensors --model lstm --hidden 24 --batch 4 --seq 10 --steps 20 --eval-every 10 -o a -q --resume
!~ gen-train: .*hidden.*16.*24.*|gen-train: .*hidden.*24.*16.*
? 1
$ gen-train --data zh.safetensors --model lstm --hidden 16 --batch 4 --seq 10 --steps 20 --init a -o b -q
!~ gen-train: .*vocabular.*
? 1
$ ls b 2>/dev/null
? 2
$ cp -r a broken && printf 'X' | dd of=broken/state.safetensors bs=1 seek=9000 conv=notrunc 2>/dev/null && rm -f broken/state.prev.safetensors broken/result.json
$ gen-train --data x.safetensors --model lstm --hidden 16 --batch 4 --seq 10 --steps 20 --eval-every 10 -o broken -q --resume
!~ gen-train: .*broken/state\.safetensors.*
? 1
$ gen-train --data x.safetensors --model lstm --hidden 16 --batch 4 --seq 10 --steps 5 -q --json -o d > /dev/full
!~ gen-train: .*(No space left|standard output).*
? 1
