# gen-train: what ends a run, how it goes on, and that its config.json repeats it
$ gen-collect synth:verses --max-bytes 12k --licence CC0-1.0 -o corpus -q && gen-preprocess corpus -o x.safetensors -q
$ printf '%s\n' '#!/bin/sh' 'gen-train --data x.safetensors --model rnn --hidden 8 --layers 1 --batch 4 --seq 10 -q "$@"' > t && chmod +x t
$ printf '%s\n' '#!/bin/sh' 'cmp "$1/model.safetensors" "$2/model.safetensors" && cmp "$1/state.safetensors" "$2/state.safetensors" && echo same' > same && chmod +x same
$ printf '%s\n' '#!/bin/sh' 'tail -n 1 "$1/log.jsonl" | sed "s/[^0-9]*\([0-9]*\).*/\1/"' > last && chmod +x last

# --target and --patience end a run early. It is repeated by its config.json, and stays ended when resumed.
$ ./t --steps 400 --eval-every 20 --target 3.1 -o early && gen-train --config early/config.json -o again -q && ./same early again
< same
$ grep -o '"stopped": "[a-z]*"' early/result.json; test "$(./last early)" -lt 400 && echo early
< "stopped": "target"
< early
$ ls -l --time-style=full-iso early > before; gen-train --resume -o early -q && ls -l --time-style=full-iso early | cmp - before && echo untouched
< untouched
$ ./t --steps 400 --eval-every 5 --lr 0.3 --patience 3 -o patient && grep -o '"stopped": "[a-z]*"' patient/result.json && gen-train --config patient/config.json -o patient2 -q && ./same patient patient2
< "stopped": "patience"
< same

# Whoever says how long to go on means more than where it stopped: the end is that of the run that never stopped.
$ gen-train --resume -o early --target 0 --steps 400 -q && ./t --steps 400 --eval-every 20 -o whole && cmp early/model.safetensors whole/model.safetensors && echo same
< same

# --until stops a schedule half way; without --steps the schedule has no end.
$ ./t --steps 60 --until 25 -o half && ./last half && gen-train --resume -o half --until 0 -q && ./t --steps 60 -o full && ./same half full
< 25
< same
$ ./t --until 25 --eval-every 100 -o open && ./last open && grep -o '"steps": null' open/config.json && gen-train --config open/config.json -o open2 -q && ./same open open2
< 25
< "steps": null
< same

# --time: done by the clock, repeated by steps; more time goes on. With --steps the clock only cuts it off. On a machine that
# slows down while the rate falls, the clock may cut off that, too.
$ ./t --time 0.3 --eval-every 1k -o clock && grep -c '"stopped": "\(steps\|time\)"' clock/result.json && gen-train --config clock/config.json -o clock2 -q && ./same clock clock2
< 1
< same
$ ./t --time 0.2 --schedule constant --eval-every 1k -o free && grep -o '"stopped": "[a-z]*"' free/result.json && n=$(./last free) && gen-train --resume -o free --time 0.6 -q && test "$(./last free)" -gt $n && echo further
< "stopped": "time"
< further
$ ./t --time 0.2 --steps 100M --eval-every 1k -o cut && gen-train --resume -o cut -q && grep -o '"stopped": "[a-z]*"' cut/result.json && gen-train --config cut/config.json -o cut2 -q && ./same cut cut2
< "stopped": "time"
< same

# Without an end evaluations become rarer: never more often than every twentieth of the steps done.
$ ./t --until 3000 --eval-every 1 -o rare && ls rare/samples | wc -l | awk '{ print ($1 > 30 && $1 < 140) }'
< 1

# Epochs are steps: 4 streams of what trains, 10 tokens each, accumulated by twos.
$ ./t --epochs 2 --accum 2 --eval-every 1k -o epochs && grep -o '"tokens": [0-9]*' epochs/log.jsonl | tail -n 1 > got && gen-train --config epochs/config.json -o epochs2 -q && ./same epochs epochs2
< same

# --accum: two half batches are one whole, but for the order of the sums; --ema: its own weights are what counts.
$ ./t --steps 30 --accum 2 --ema 0.9 --eval-every 10 --save-every 7 -o sum && TG_FAULT=kill:60 ./t --steps 30 --accum 2 --ema 0.9 --eval-every 10 --save-every 7 -o sum2; gen-train --resume -o sum2 -q && ./same sum sum2
< same
$ ./t --steps 30 --eval-every 10 -o plain && ./t --steps 30 --eval-every 10 --ema 0.9 -o ema && cmp -s plain/model.safetensors ema/model.safetensors || echo other weights
< other weights

# --on-nan rewind goes back to the best weights with half the rate, and resumes to the same bytes.
$ printf '%s\n' '#!/bin/sh' './t --activation relu --steps 60 --lr 20 --warmup 12 --clip 0 --eval-every 5 --optimizer sgd --momentum 0 "$@"' > wild && chmod +x wild
$ ./wild --on-nan rewind -o rewound
!~ gen-train: warning: step 18: the loss is far too high; back to the weights of step 5 with half the learning rate
$ TG_FAULT=kill:70 ./wild --on-nan rewind --save-every 3 -o rewound2 2>/dev/null; gen-train --resume -o rewound2 -q 2>/dev/null; ./same rewound rewound2
< same

# What breaks down keeps the best weights so far, though they were not saved yet.
$ ./wild -o broken
!~ gen-train: step 18: training diverges: .*; model\.safetensors holds the best weights so far
? 1
$ ls broken
< config.json
< log.jsonl
< model.safetensors
< samples

# --keep: the last states, and nobody else's files.
$ ./t --steps 20 --schedule constant --save-every 5 --keep 2 -o kept && ls kept/states
< 00000015.safetensors
< 00000020.safetensors
$ echo mine > kept/states/NOTE.txt && mkdir kept/states/0 && echo mine > kept/states/0/x && gen-train --resume -o kept --steps 30 -q && find kept/states -type f | sort
< kept/states/0/x
< kept/states/00000025.safetensors
< kept/states/00000030.safetensors
< kept/states/NOTE.txt

# A config file beside --resume is heard.
$ echo '{"steps": 40}' > more.json && gen-train --resume -o kept --config more.json -q && ./last kept
< 40
$ echo '{"steps": 45}' | gen-train --resume -o kept --config - -q && ./last kept
< 45
$ ./t --steps 20 -o direct && gen-train --data x.safetensors --model rnn --hidden 8 --layers 1 --batch 4 --seq 10 --steps 20 --print-config > p.json && gen-train --config p.json -o printed -q && ./same direct printed
< same

# Folders that hold no run are left alone, whatever is called how.
$ mkdir -p f/samples && echo '{"a": 1}' > f/config.json && echo precious > f/samples/000003.txt && ./t --steps 3 -o f --force
! gen-train: f is there already and is not a run folder; give -o another name
? 1
$ ./t --steps 3 --sample-every 3 -o g && echo mine > g/samples/mine.txt && ./t --steps 3 --sample-every 0 -o g --force && find g/samples -type f
< g/samples/mine.txt
$ ./t --steps 3 --batch 4000 -o nowhere
!~ gen-train: .*smaller --batch or --seq.*
? 1
$ ls -d nowhere 2>/dev/null
? 2

# Usage.
$ ./t --steps 0 -o u
!~ gen-train: --steps 0: .*
? 2
$ ./t --steps 5 --momentum 1 -o u
!~ gen-train: --momentum 1: .*
? 2
$ ./t --steps 5 --nesterov -o u
!~ gen-train: --nesterov is a form of sgd's momentum.*
? 2
$ ./t --steps 5 --muon-lr 0.01 -o u
!~ gen-train: --muon-lr is muon's rate .*: give --optimizer muon with it
? 2
$ ./t --steps 5 --optimizer muon --muon-lr 0.01 --lr 0 -o u
!~ gen-train: --muon-lr is muon's rate .*: give --optimizer muon and an --lr above 0 with it
? 2
$ ./t --steps 5 --optimizer muon --momentum 0 --nesterov -o u
!~ gen-train: --nesterov is a form of sgd's momentum and of muon's.*
? 2
$ ./t --steps 5 -o ''
! gen-train: --out: the name is empty
? 2
$ ./t --time 5s --decay-share 1 -o u
!~ gen-train: --decay-share 1: .*0\.9
? 2
$ gen-train --data x.safetensors --hidden 3 -o u
!~ gen-train: --model NAME is missing.*
? 2
$ ./t --steps 5 --optimizer sgd --nesterov -o nest && gen-train --resume -o nest --no-nesterov -q
!~ gen-train: nest cannot go on: its setting nesterov is true, .* give --nesterov, .*
? 1

# Muon looks ahead with a momentum of 0.95 unless told; killed while saving, it goes on as if nothing had been; its rate matters.
$ sed 's/--model rnn --hidden 8 --layers 1/--model transformer --layers 1 --heads 2 --dim 16 --context 10/; s/-q/--optimizer muon --steps 24 --eval-every 8 -q/' t > m && chmod +x m
$ ./m -o muon && grep -o '"momentum": [^,]*\|"nesterov": [^,]*\|"muon_lr": [^,]*' muon/config.json
< "muon_lr": 0.003
< "momentum": 0.95
< "nesterov": true
$ TG_FAULT=kill:40 ./m -o killed --save-every 3
? 137
$ gen-train --resume -o killed -q && ./same muon killed
< same
$ ./m -o rate --muon-lr 0.003 && ./same muon rate
< same
$ ./m -o faster --muon-lr 0.005; ./m -o sees --no-nesterov; ./m -o still --momentum 0; grep -o '"nesterov": [^,]*' still/config.json
< "nesterov": false
$ for run in muon rate faster sees still; do tail -n 1 $run/log.jsonl | grep -o '"train_loss": [0-9.]*'; done | sort -u | wc -l | tr -d ' '
< 4
