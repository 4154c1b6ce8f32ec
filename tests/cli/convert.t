# convert.t - gen-convert: models of llama2.c in and out, GGUF and .npy out
skip unless command -v python3
$ cat > lib.sh <<'END'
> ref=$TINYGEN_SRC/tests/golden/llama2_reference.py
> # ids MODEL N: what it draws, always the likeliest
> ids() { gen-sample "$1" --temperature 0 --length "$2" --json | sed 's/.*"tokens": \[\([^]]*\)\].*/\1/'; }
> # bend FILE OFFSET FORMAT VALUE: a.bin with a number replaced
> bend() { python3 -c 'import struct, sys; b = bytearray(open("a.bin", "rb").read()); struct.pack_into("<" + sys.argv[3], b, int(sys.argv[2]), float(sys.argv[4]) if sys.argv[3] == "f" else int(sys.argv[4])); open(sys.argv[1], "wb").write(b)' "$@"; }
> # refused: x.bin is; nothing is left behind, under its name or another
> refused() { gen-convert x.bin --tokenizer tok.bin -o x.safetensors -q; echo "status $?"; find . -name '*x.safetensors*'; }
> END
$ . ./lib.sh; python3 $ref pieces tok.bin 300; python3 $ref make a.bin 1 24 40 2 4 2 300 120; python3 $ref make b.bin 2 24 40 3 4 1 -300 120 zeros

# In: it draws what a forward pass in plain Python does; with grouped queries, a classifier of its own, fewer layers or more. A
# text that draws token 1 ends there.
$ gen-convert a.bin --tokenizer tok.bin -o a.safetensors
! a.safetensors: safetensors, 16,536 numbers, 72.8 KiB
$ . ./lib.sh; ids a.safetensors 100 > ours; python3 $ref run a.bin 100 2> near | cmp - ours && test $(tr , '\n' < ours | sort -u | wc -l) -gt 30 && echo same
< same
$ . ./lib.sh; gen-convert b.bin --tokenizer tok.bin -o b.safetensors -q; ids b.safetensors 60 > ours; python3 $ref run b.bin 60 2> near | cmp - ours && test $(wc -c < ours) -gt 20 && echo same
< same

# A text's first space is the tokeniser's own and not shown; behind a prompt it is the text's.
$ cat > space.py <<'END'
> import json, struct, sys
> b, pieces, at = open('tok.bin', 'rb').read(), [], 4
> while at < len(b):
>     n = struct.unpack_from('<i', b, at + 4)[0]
>     pieces.append(b[at + 8:at + 8 + n].decode())
>     at += 8 + n
> own = sys.argv[1] == 'own'
> spaced = 0
> for x in map(json.loads, sys.stdin):
>     text = ''.join(pieces[t] for t in x['tokens'])
>     if min(x['tokens']) < 259 or text[0] != ' ':
>         continue  # bytes
>     spaced += 1
>     assert x['text'] == (text[1:] if own else text), x
> print(spaced > 5)
> END
$ gen-sample a.safetensors -n 500 --length 1 --temperature 1.5 --format jsonl | python3 space.py own; gen-sample a.safetensors -n 500 --length 1 --temperature 1.5 --prompt e --format jsonl | python3 space.py kept; gen-sample a.safetensors -n 500 --length 1 --temperature 1.5 | grep -c '^ '
< True
< True
< 0
? 1

# And out again: byte for byte, tables of the rotation and all; the tokeniser, too.
$ gen-convert a.safetensors -o a2.bin --tokenizer tok2.bin -q && cmp a.bin a2.bin && cmp tok.bin tok2.bin && gen-convert b.safetensors -o b2.bin -q && cmp b.bin b2.bin && echo same
< same
$ gen-convert a.safetensors -o a3.other --to llama2c -q && cmp a.bin a3.other && gen-convert a.safetensors -o a4.bin --json 2> /dev/null | sed 's/"seconds": [^,]*/"seconds": 0/; s/"sha256": "[0-9a-f]*"/"sha256": ""/' && gen-convert a.safetensors -o a4.bin --json --force 2> /dev/null | grep -c "$( (sha256sum a.bin || shasum -a 256 a.bin) 2> /dev/null | cut -d ' ' -f 1)"
< {"program": "gen-convert", "version": "0.1.0", "out": "a4.bin", "seed": 0, "seconds": 0, "from": "safetensors", "to": "llama2c", "params": 16536, "bytes": 69052, "sha256": ""}
< 1

# The space before a text's first word is none of the text; those behind it are.
$ cat > text.py <<'END'
> import json, struct, sys
> b, pieces, at = open('tok.bin', 'rb').read(), [], 4
> while at < len(b):
>     n = struct.unpack('<fi', b[at:at + 8])[1]
>     pieces.append(b[at + 8:at + 8 + n])
>     at += 8 + n
> spaces = 0
> for line in sys.stdin:
>     one = json.loads(line)
>     text = b''.join(bytes([t - 3]) if 3 <= t < 259 else pieces[t] for t in one['tokens'] if t > 2)
>     if 0 not in one['tokens'] and text.isascii():
>         spaces += text[:1] == b' '
>         assert one['text'] == text[text[:1] == b' ':].decode(), (one['text'], text)
> print(spaces > 0)
> END
$ gen-sample a.safetensors -n 60 --length 3 --temperature 3 --format jsonl -q | python3 text.py
< True

# GGUF, read by its specification.
$ for m in a b; do gen-convert $m.safetensors -o $m.gguf -q && python3 $TINYGEN_SRC/tests/golden/gguf_reference.py $m.gguf $m.safetensors tok.bin; done
< 20 tensors, 24 keys
< 30 tensors, 24 keys

# A vocabulary of ours: in GGUF as GPT-2's kind, and as GPT-2's two files, which give it back.
$ gen-collect synth:verses --max-bytes 20k -o v -q; gen-preprocess v -o w.safetensors --tokenizer bpe --vocab-size 400 -q; gen-train --data w.safetensors --model transformer --dim 16 --heads 2 --layers 1 --context 24 --steps 1 -o w -q; gen-convert w -o w.gguf
! gen-convert: warning: GGUF does not say how texts are cut here before pieces are joined: where GPT-2 cuts elsewhere (Chinese, apostrophes, runs of digits and spaces), other programs give other ids of the same text
! w.gguf: gguf, 9,776 numbers, 47.1 KiB
$ python3 $TINYGEN_SRC/tests/golden/gguf_reference.py w.gguf w/model.safetensors
< 11 tensors, 21 keys
$ gen-convert w.safetensors -o w-vocab.json && ls w-*; gen-convert w -o w2-vocab.json 2> /dev/null; cmp w-vocab.json w2-vocab.json; cmp w-merges.txt w2-merges.txt
! gen-convert: warning: GPT-2's files do not say how texts are cut here before pieces are joined: where GPT-2 cuts elsewhere (Chinese, apostrophes, runs of digits and spaces), other programs give other ids of the same text
! w-vocab.json: gpt2, 400 pieces, 4.3 KiB
< w-merges.txt
< w-vocab.json
$ gen-preprocess v -o w2.safetensors --tokenizer w-vocab.json -q; for f in w w2; do python3 -c "import json,sys; n = int.from_bytes(sys.stdin.buffer.read(8), 'little'); t = json.loads(json.loads(sys.stdin.buffer.read(n))['__metadata__']['tinygen'])['tokenizer']; print(t['rule'], file=sys.stderr); print(t['pieces'], t['merges'])" < $f.safetensors > $f.tokens; done; cmp w.tokens w2.tokens
! words
! gpt2
$ gen-convert w -o w.json; gen-convert w.safetensors -o w-vocab.json; rm w-vocab.json; gen-convert w.safetensors -o w-vocab.json
! gen-convert: -o w.json: GPT-2's files are named ...vocab.json, and ...merges.txt beside it
! gen-convert: w-vocab.json is there already; --force replaces it
! gen-convert: w-merges.txt is there already; --force replaces it
? 1
$ gen-preprocess v -o w3.safetensors -q; gen-convert w3.safetensors -o w3-vocab.json; gen-convert v/manifest.jsonl -o w4-vocab.json; ls w3-* w4-* 2> /dev/null
! gen-convert: GPT-2's pair is a list of merges; this char tokeniser has none
! gen-convert: v/manifest.jsonl: not a model of ours; a checkpoint of llama2.c becomes .safetensors first
? 2

# A model of ours, with and without documents.
$ gen-collect synth:verses --max-bytes 20k -o v -q; gen-preprocess v -o d.safetensors --tokenizer tok.bin -q && gen-train --data d.safetensors --model transformer --dim 16 --heads 2 --layers 1 --context 24 --steps 3 -o r -q
$ gen-convert r -o r.bin
! gen-convert: warning: llama2.c starts a text with token 1, which this model has not learned
! llama2.c wants its tokeniser in a file beside it: --tokenizer FILE writes that, too
! r.bin: llama2c, 8,176 numbers, 32.7 KiB
$ . ./lib.sh; python3 $ref run r.bin 20 > ref.ids 2> near; gen-convert r.bin --tokenizer tok.bin -o r2.safetensors -q && ids r2.safetensors 20 | cmp - ref.ids && gen-convert r2.safetensors -o r2.bin -q && cmp r.bin r2.bin && echo same
< same
$ gen-preprocess v -o d.safetensors --tokenizer tok.bin --documents blank -q --force && gen-train --data d.safetensors --model transformer --dim 16 --heads 2 --layers 1 --context 24 --steps 3 -o rd -q; gen-convert rd -o rd.gguf -q && python3 $TINYGEN_SRC/tests/golden/gguf_reference.py rd.gguf rd/model.safetensors tok.bin
< 11 tensors, 24 keys
$ gen-convert rd -o rd.bin
! gen-convert: rd/model.safetensors: llama2.c knows no tokens for documents and classes behind the pieces
? 1

# What a format cannot say is refused with the reason.
$ for o in '--norm layer' '--pos learned' '--act relu2' --bias --qk-norm '--theta 500'; do gen-train --data d.safetensors --model transformer --dim 16 --heads 2 --layers 1 --context 24 --steps 1 -o no -q --force $o; gen-convert no -o no.bin 2>&1; gen-convert no -o no.gguf -q 2> /dev/null; echo $?; done
< gen-convert: no/model.safetensors: the format cannot say layer norm (--norm layer): it is for models shaped as Llama
< 1
< gen-convert: no/model.safetensors: the format cannot say a table of positions (--pos learned): it is for models shaped as Llama
< 1
< gen-convert: no/model.safetensors: the format cannot say another activation than swiglu (--act): it is for models shaped as Llama
< 1
< gen-convert: no/model.safetensors: the format cannot say biases (--bias): it is for models shaped as Llama
< 1
< gen-convert: no/model.safetensors: the format cannot say normalised queries and keys (--qk-norm): it is for models shaped as Llama
< 1
< gen-convert: no/model.safetensors: llama2.c cannot say another base of the rotation than 10000 (--theta)
< 0
$ python3 $TINYGEN_SRC/tests/golden/gguf_reference.py no.gguf no/model.safetensors tok.bin; gen-preprocess v -o c.safetensors -q; for m in 'transformer --dim 16 --heads 2 --layers 1 --context 24' 'lstm --hidden 8' ngram; do gen-train --data c.safetensors --model $m -o c -q --force $(test "$m" = ngram || echo --steps 1); for e in bin gguf; do gen-convert c -o c.$e 2>&1; done; done; ls c.bin c.gguf 2> /dev/null
< 11 tensors, 24 keys
< gen-convert: c/model.safetensors: llama2.c wants a tokeniser with scores, a tokenizer.bin; this char tokeniser has none
< gen-convert: c/model.safetensors: GGUF has no tokeniser char: train on data that gen-preprocess --tokenizer bpe made, or --tokenizer FILE with a vocab.json of GPT-2's kind or a tokenizer.bin
< gen-convert: c/model.safetensors: the format cannot say a model of kind lstm: it is for Transformers shaped as Llama
< gen-convert: c/model.safetensors: the format cannot say a model of kind lstm: it is for Transformers shaped as Llama
< gen-convert: c/model.safetensors: the format cannot say a model of kind ngram: it is for Transformers shaped as Llama
< gen-convert: c/model.safetensors: the format cannot say a model of kind ngram: it is for Transformers shaped as Llama
? 2

# Checkpoints that lie: told what is wrong, before memory is asked for, and nothing is left behind.
$ . ./lib.sh; head -c 27 a.bin > x.bin; refused; head -c 40000 a.bin > x.bin; refused; cat a.bin tok.bin > x.bin; refused; : > x.bin; refused
! gen-convert: x.bin: no checkpoint of llama2.c: 27 bytes, its header alone has 28
! gen-convert: x.bin: its header asks for 69052 bytes, the file has 40000: cut short? fetch it again
! gen-convert: x.bin: its header asks for 69052 bytes, the file has 73077: no checkpoint of llama2.c
! gen-convert: x.bin: no checkpoint of llama2.c: 0 bytes, its header alone has 28
< status 1
< status 1
< status 1
< status 1
$ . ./lib.sh; mkdir bent; python3 -c 'import struct; a = open("a.bin", "rb").read(); [open("bent/%02d%d" % (at, i), "wb").write(a[:at] + struct.pack("<i", x) + a[at + 4:]) for at in range(0, 28, 4) for i, x in enumerate((-2**31, 2**31 - 1))]'; for x in bent/*; do cp $x x.bin; refused 2>&1 | sed 's/.*that can be read: //'; done
< its dim is -2147483648, 1 to 16384 are possible
< status 1
< its dim is 2147483647, 1 to 16384 are possible
< status 1
< its hidden_dim is -2147483648, 1 to 65536 are possible
< status 1
< its hidden_dim is 2147483647, 1 to 65536 are possible
< status 1
< its n_layers is -2147483648, 1 to 64 are possible
< status 1
< its n_layers is 2147483647, 1 to 64 are possible
< status 1
< its n_heads is -2147483648, 1 to 256 are possible
< status 1
< its n_heads is 2147483647, 1 to 256 are possible
< status 1
< its n_kv_heads is -2147483648, 1 to 256 are possible
< status 1
< its n_kv_heads is 2147483647, 1 to 256 are possible
< status 1
< its vocab_size is 2147483648, 1 to 1000000 are possible
< status 1
< its vocab_size is 2147483647, 1 to 1000000 are possible
< status 1
< its seq_len is -2147483648, 1 to 65536 are possible
< status 1
< its seq_len is 2147483647, 1 to 65536 are possible
< status 1
# The largest of everything, more than a terabyte, is asked of the file, not of memory; zero layers, heads that share nothing.
$ . ./lib.sh; python3 -c 'import struct; open("x.bin", "wb").write(struct.pack("<7i", 16384, 65536, 64, 256, 256, -1000000, 65536))'; refused; bend x.bin 8 i 0; refused; bend x.bin 12 i 5; refused; bend x.bin 16 i 3; refused; bend x.bin 12 i 24; refused
! gen-convert: x.bin: its header asks for 1230608859164 bytes, the file has 28: cut short? fetch it again
! gen-convert: x.bin: no checkpoint of llama2.c that can be read: its n_layers is 0, 1 to 64 are possible
! gen-convert: x.bin: no checkpoint of llama2.c: 5 heads, 2 of keys, do not share a width of 24 in pairs
! gen-convert: x.bin: no checkpoint of llama2.c: 4 heads, 3 of keys, do not share a width of 24 in pairs
! gen-convert: x.bin: no checkpoint of llama2.c: 24 heads, 2 of keys, do not share a width of 24 in pairs
< status 1
< status 1
< status 1
< status 1
< status 1
$ . ./lib.sh; bend x.bin 0 i 1634415666; refused; cp a.gguf x.bin; refused; bend x.bin 60028 f nan; refused; echo > x.bin; mkfifo pipe; cat a.bin > pipe & gen-convert pipe --tokenizer tok.bin -o x.safetensors
! gen-convert: x.bin: version 40 of llama2.c's format; version 0 is read: export.py --version 0
! gen-convert: x.bin: GGUF is written, but not read
! gen-convert: x.bin: the weights that become layers.0.mlp.up.weight hold a number that is not finite: damaged?
!~ gen-convert: .*pipe.*
< status 1
< status 1
< status 1
? 1

# The tokeniser.
$ gen-convert a.bin -o x.safetensors
! gen-convert: a.bin does not hold its tokeniser: add --tokenizer tokenizer.bin
? 2
$ . ./lib.sh; python3 $ref pieces small.bin 299; gen-convert a.bin --tokenizer small.bin -o x.safetensors
! gen-convert: small.bin has 299 pieces, a.bin is for 300: take the tokeniser that belongs to it
? 1
$ printf '{"a": 0}' > vocab.json; : > merges.txt; gen-convert a.bin --tokenizer vocab.json -o x.safetensors
!~ gen-convert: vocab\.json, .*merges\.txt: .*
? 1
$ gen-convert a.bin --tokenizer nowhere -o x.safetensors
!~ gen-convert: .*nowhere.*
? 1
# It has a file of its own: the model would take its place.
$ gen-convert a.safetensors -o both.bin --tokenizer ./both.bin
! gen-convert: -o and --tokenizer both name both.bin; give each a file of its own
? 2
$ ls both.bin 2> /dev/null
? 2
# Another kind of tokeniser does not come to a start of its own by saying so.
$ cat > lie.py <<'END'
> import os, sys
> sys.path.insert(0, os.environ['TINYGEN_SRC'] + '/tests/support')
> from xxh64 import read_file, write_file
> head, meta, data = read_file('c/model.safetensors')
> meta['tokenizer'].update(start=1, end=1)
> write_file('lie.safetensors', head, meta, data)
> END
$ python3 lie.py; gen-sample lie.safetensors
! gen-sample: lie.safetensors: only a bpe tokeniser with scores has a start token of its own
? 1

# .npy: one tensor, of a model or a dataset.
$ cat > npy.py <<'END'
> import ast, json, struct, sys
> b = open(sys.argv[1], 'rb').read()
> n = struct.unpack('<H', b[8:10])[0]
> assert b[:8] == b'\x93NUMPY\1\0' and (10 + n) % 64 == 0 and b[9 + n:10 + n] == b'\n'
> print(ast.literal_eval(b[10:10 + n].decode()))
> s = open(sys.argv[2], 'rb').read()
> h = struct.unpack('<Q', s[:8])[0]
> at = json.loads(s[8:8 + h])[sys.argv[3]]['data_offsets']
> print(b[10 + n:] == s[8 + h + at[0]:8 + h + at[1]])
> END
$ gen-convert a.safetensors -o q.npy --tensor layers.0.attn.qkv.weight -q && python3 npy.py q.npy a.safetensors layers.0.attn.qkv.weight; gen-convert a.safetensors -o n.npy --tensor norm.weight -q && python3 npy.py n.npy a.safetensors norm.weight
< {'descr': '<f4', 'fortran_order': False, 'shape': (48, 24)}
< True
< {'descr': '<f4', 'fortran_order': False, 'shape': (24,)}
< True
$ gen-convert d.safetensors -o t.npy --tensor val -q && python3 npy.py t.npy d.safetensors val | sed 's/[0-9]*,)/N,)/'
< {'descr': '<u2', 'fortran_order': False, 'shape': (N,)}
< True
$ gen-convert a.safetensors -o no.npy --tensor nothing
!~ gen-convert: a\.safetensors: no tensor nothing; there are: embed\.weight, layers\.0\.norm1\.weight, .*
? 1
$ gen-convert a.safetensors -o no.npy
!~ gen-convert: a\.safetensors: a \.npy holds one tensor: --tensor NAME; there are: embed\.weight, .*
? 2

# Which format; what is there already stays.
$ gen-convert a.safetensors -o - --to gguf
! gen-convert: -o -: a model does not go to standard output; name a file
? 2
$ gen-convert a.safetensors -o a.txt
! gen-convert: -o a.txt: its ending tells no format; name it .safetensors, .bin, .gguf, .npy or vocab.json, or add --to
? 2
$ gen-convert a.safetensors -o no.gguf --tensor norm.weight; gen-convert a.safetensors -o no.gguf --tokenizer tok.bin
! gen-convert: --tensor is of .npy; it does not go with gguf
! gen-convert: --tokenizer is llama2.c's; it does not go with gguf
? 2
$ gen-convert a.safetensors -o a2.safetensors; gen-convert a.bin -o no.gguf
! gen-convert: a.safetensors is safetensors already; write .bin, .gguf or .npy
! gen-convert: a.bin: not a model of ours; a checkpoint of llama2.c becomes .safetensors first
? 1
$ gen-convert a.safetensors -o b.bin; gen-convert a.safetensors -o new.bin --tokenizer tok.bin; ls new.bin 2> /dev/null
!~ gen-convert: b\.bin is there already; --force replaces it
!~ gen-convert: tok\.bin is there already; --force replaces it
? 2
$ gen-convert a.safetensors -o nowhere/b.gguf
!~ gen-convert: .*nowhere/b\.gguf.*
? 1
$ gen-convert a.bin --tokenizer tok.bin -o deep.safetensors --deps deep.d -q && head -n 1 deep.d
< deep.safetensors: a.bin tok.bin
