# Models that lie, with checksums that are right: refused for what is wrong with them
skip unless command -v python3
$ gen-collect synth:verses --max-bytes 12k --licence CC0-1.0 -o corpus -q && gen-preprocess corpus -o x.safetensors -q
$ gen-train --data x.safetensors --model gru --hidden 16 --batch 4 --seq 10 --steps 20 -o a -q
$ cat > lie.py <<'END'
> import os, struct, sys
> sys.path.insert(0, os.environ['TINYGEN_SRC'] + '/tests/support')
> from xxh64 import read_file, write_file
> head, meta, data = read_file('a/model.safetensors')
> exec(sys.argv[1])
> write_file('lie.safetensors', head, meta, data)
> END
$ python3 lie.py '' && gen-sample lie.safetensors --length 20 > lied && gen-sample a --length 20 | cmp - lied && echo no lie
< no lie
$ python3 lie.py 'at = head["head.bias"]["data_offsets"][0]; data[at:at + 4] = struct.pack("<f", float("nan"))' && gen-sample lie.safetensors
! gen-sample: lie.safetensors: the tensor head.bias holds a number that is not finite: it is damaged, or its training broke down
? 1
$ python3 lie.py 'meta["settings"]["layers"] = 17' && gen-sample lie.safetensors
! gen-sample: lie.safetensors: its setting layers 17: must be 1 to 16
? 1
$ python3 lie.py 'meta["settings"]["layers"] = 3' && gen-sample lie.safetensors
!~ gen-sample: lie\.safetensors: its settings need more weights than it holds; .*
? 1
$ python3 lie.py 'meta["settings"]["hidden"] = 8' && gen-sample lie.safetensors
!~ gen-sample: lie\.safetensors: the tensor embed\.weight is .*
? 1
$ python3 lie.py 'del meta["settings"]' && gen-sample lie.safetensors
!~ gen-sample: lie\.safetensors: its metadata lack the settings .*
? 1
$ python3 lie.py 'meta["data_kind"] = "audio"' && gen-sample lie.safetensors
!~ gen-sample: lie\.safetensors: it is of audio, .*
? 1
$ python3 lie.py 'meta["data_kind"] = "image"' && gen-sample lie.safetensors
!~ gen-sample: lie\.safetensors: its model does not go with its data; .*
? 1
$ python3 lie.py 'meta["model"] = "elman"' && gen-sample lie.safetensors
!~ gen-sample: lie\.safetensors: its model is elman, .*
? 1
$ python3 lie.py 'meta["vocab"] = 7' && gen-sample lie.safetensors
!~ gen-sample: lie\.safetensors: the tokeniser has another size .*
? 1
$ python3 lie.py 'del meta["tokenizer"]' && gen-sample lie.safetensors
!~ gen-sample: lie\.safetensors: its metadata lack the tokeniser; .*
? 1
$ python3 lie.py 'del head["head.bias"]' && gen-sample lie.safetensors
!~ gen-sample: lie\.safetensors: .*
? 1
$ python3 lie.py 'meta["algorithm"] = 999' && gen-sample lie.safetensors --length 3 -q > /dev/null
!~ gen-sample: warning: lie\.safetensors was made by algorithm version 999, .*
# Before version 3 classes were not held, and such a model has no weights for it.
$ for c in x y; do gen-collect synth:verses --max-bytes 3k --label $c -o k$c -q; done; gen-preprocess kx ky --documents line --dedupe off -o k.safetensors -q 2> said
$ gen-train --data k.safetensors --model gru --hidden 16 --batch 4 --seq 10 --steps 5 -o k -q; sed s,a/model,k/model, lie.py > old.py
$ python3 old.py 'head["unused"] = head.pop("classes.weight")'; gen-sample lie.safetensors --label y -q
!~ gen-sample: lie\.safetensors: the tensor classes\.weight is missing
? 1
$ python3 old.py 'head["unused"] = head.pop("classes.weight"); meta["algorithm"] = 2'; gen-sample lie.safetensors --label y --length 9 > said
!~ gen-sample: warning: lie\.safetensors was made by algorithm version 2, .*

# Of images: sizes that a network of these settings cannot have.
$ gen-collect synth:shapes --limit 20 -o shapes -q; gen-preprocess shapes -o s.safetensors --size 8 -q 2> /dev/null; gen-train --data s.safetensors --model gan --channels 1 --latent 2 --batch 4 --steps 1 -o g -q; sed s,a/model,g/model, lie.py > image.py
$ for shape in '3, 4, 4' '3, 0, 8' '3, 65535, 65535'; do python3 image.py "meta['samples']['shape'] = [$shape]" && gen-sample lie.safetensors -o lie.png; done
!~ gen-sample: lie\.safetensors: its settings do not go together, or not with its data; .*
! gen-sample: lie.safetensors: what it says of its data, their shape and classes, makes no sense
! gen-sample: lie.safetensors: what it says of its data, their shape and classes, makes no sense
? 1
$ python3 image.py 'meta["settings"]["channels"] = 1024' && gen-sample lie.safetensors -o lie.png; ls lie.png 2> /dev/null
!~ gen-sample: lie\.safetensors: its settings need more weights than it holds; .*
? 2

# An adapter that lies, of the model it says: what is wrong with it, before memory is taken, and no crash.
$ gen-train --data x.safetensors --model gru --init a --lora-rank 2 --batch 4 --seq 10 --steps 3 -o l -q && sed 's#a/model#l/adapter#' lie.py > add.py && python3 add.py '' && gen-sample a --adapter lie.safetensors --length 20 > lied && gen-sample l --length 20 | cmp - lied && echo no lie
< no lie
$ for lie in 'lora_rank"] = 2 ** 62' 'lora_rank"] = -3' 'lora_rank"] = "2"' 'lora_alpha"] = 1e300' 'lora_alpha"] = None' 'freeze"] = "all"' 'freeze"] = "%n\x1b[31m,"' 'layers"] = 17' 'hidden"] = 8'; do python3 add.py "meta[\"settings\"][\"$lie"; gen-sample a --adapter lie.safetensors; done
! gen-sample: lie.safetensors: its settings do not go together; is it a model that gen-train wrote?
! gen-sample: lie.safetensors: its settings lack the adapter's rank and weight; is it a model that gen-train wrote?
! gen-sample: lie.safetensors: its settings lack the adapter's rank and weight; is it a model that gen-train wrote?
! gen-sample: lie.safetensors: its settings do not go together; is it a model that gen-train wrote?
! gen-sample: lie.safetensors: its settings lack the adapter's rank and weight; is it a model that gen-train wrote?
! gen-sample: lie.safetensors: its settings do not go together; is it a model that gen-train wrote?
! gen-sample: lie.safetensors: its settings do not go together; is it a model that gen-train wrote?
! gen-sample: lie.safetensors: its setting layers 17: must be 1 to 16
!~ gen-sample: lie\.safetensors: a/model\.safetensors: the tensor embed\.weight is .*
? 1
$ python3 add.py 'meta["settings"]["lora_rank"] = 1'; gen-sample a --adapter lie.safetensors; python3 add.py 'head["lora_B"] = head.pop("rnn.weight_hh_l0.lora_B")'; gen-sample a --adapter lie.safetensors
! gen-sample: lie.safetensors: the tensor rnn.weight_ih_l0.lora_A is [2, 16]; [1, 16] was expected
! gen-sample: lie.safetensors: the tensor rnn.weight_hh_l0.lora_B is missing
? 1
$ python3 add.py 'meta["model"] = "ngram"; meta["settings"]["freeze"] = "x"'; gen-sample a --adapter lie.safetensors
! gen-sample: lie.safetensors: its model has no adapters; is it a model that gen-train wrote?
? 1
$ python3 add.py 'for t in "AB": b, e = head["rnn.weight_hh_l0.lora_" + t]["data_offsets"]; data[b:e] = struct.pack("<f", 3e38) * ((e - b) // 4)'; gen-sample a --adapter lie.safetensors
! gen-sample: lie.safetensors: with its adapters some weights are not finite; is it a model that gen-train wrote?
? 1
$ python3 add.py 'head["rnn.weight_hh_l0"] = {"dtype": "F32", "shape": [48, 16], "data_offsets": [len(data), len(data) + 4 * 48 * 16]}; data += bytes(4 * 48 * 16)' && gen-sample a --adapter lie.safetensors --length 20 | cmp - lied && echo no more than a tensor too many
< no more than a tensor too many
$ sed 's#a/model#l/state#' lie.py > of_state.py && python3 of_state.py 'del head["base/embed.weight"]'; gen-sample lie.safetensors
!~ gen-sample: lie\.safetensors: .*
? 1

# A state that is further than any run gets is damaged, not gone on with.
$ gen-train --data x.safetensors --model gru --hidden 16 --batch 4 --seq 10 --until 3 -o far -q && sed "s#a/model#far/state#; s#'lie#'far/state#" lie.py > far.py && rm -f far/state.prev.safetensors && python3 far.py 'meta["place"]["step"] = 2**63 - 1' && gen-train -o far --resume --until 0 --time 1 -q
! gen-train: far/state.safetensors: the metadata are not those of a state; no state of far can be read: start anew with --force
? 1
