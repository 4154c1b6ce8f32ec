# bpe.t - pieces of words, learned, or as in a file.
$ gen-collect synth:verses -o v -q --max-bytes 20k; gen-preprocess v -o p.safetensors --tokenizer bpe --vocab-size 400 -q --json | grep -o '"vocab": [0-9]*'
< "vocab": 400
$ gen-preprocess v -o q.safetensors --tokenizer bpe --vocab-size 400 -q --threads 3 && cmp p.safetensors q.safetensors

# The usual number, as far as there is something to learn.
$ gen-preprocess v -o q.safetensors -f --tokenizer bpe 2>&1 | grep -c "pieces instead of 2048: no more stand in the training text twice"
< 1

# Pieces are learned of what trains: "ab" and " ab" stand there, "xyz" in the half that validates.
$ for i in 1 2 3 4 5 6 7 8; do echo 'ab ab ab ab'; done > halves; for i in 1 2 3 4 5 6 7 8; do echo 'xyz xyz xyz'; done >> halves; gen-collect halves -o h -q && gen-preprocess h -o h.safetensors --tokenizer bpe --vocab-size 300 --val 0.5 --dedupe off -q --json 2> /dev/null | grep -o '"vocab": [0-9]*'
< "vocab": 258

# Of a dataset: the same ids, though the documents are this corpus's own.
$ gen-preprocess v -o q.safetensors -f --tokenizer p.safetensors -q && cmp p.safetensors q.safetensors
$ gen-preprocess v -o d.safetensors --tokenizer p.safetensors --documents blank -q --json | grep -o '"vocab": [0-9]*'
< "vocab": 402

# A model of it samples, and takes prompts of any characters; its file has the tokeniser, too.
$ gen-train --data d.safetensors --model lstm --hidden 16 -o run -q --steps 5; gen-sample run -q --length 50 --prompt "$(printf '\346\230\245')" --json | grep -c '"tokens": \[[0-9]'
< 1
$ gen-preprocess v -o q.safetensors -f --tokenizer run --documents blank -q && cmp d.safetensors q.safetensors

# Bytes of no encoding, a NUL, line ends: taken byte for byte with --normalize none.
$ printf 'a\r\nb\000\377\376 \r\n caf\303\251 e\314\201' > odd; gen-collect odd -o o -q 2> /dev/null; gen-preprocess o -o o.safetensors -q --tokenizer bpe --vocab-size 256 --normalize none --val 0 2> /dev/null; tail -c $(wc -c < odd) o.safetensors | cmp - odd
$ gen-preprocess o -o x.safetensors --tokenizer bpe --normalize none --lowercase
! gen-preprocess: bpe with --normalize none leaves the bytes as they are: --encoding, --strip, --width, --lowercase and --scrub-pii do not go with it
? 2

# What does not go together, and what is no tokeniser.
$ gen-preprocess v -o x.safetensors --vocab-size 400
! gen-preprocess: --vocab-size is of --tokenizer bpe; it does not go with --tokenizer char
? 2
$ gen-preprocess v -o x.safetensors --tokenizer bpe --vocab-size 255
! gen-preprocess: --vocab-size 255: must be 256 at least, the single bytes
? 2
$ gen-preprocess v -o x.safetensors --tokenizer bpe --min-count 2
! gen-preprocess: --min-count is about characters: it does not go with --tokenizer bpe
? 2
$ gen-preprocess v -o x.safetensors --tokenizer odd
! gen-preprocess: odd: no tokenizer.bin and no vocab.json: piece 0 does not fit at byte 4
? 1
$ echo '{"a": 0}' > vocab.json; gen-preprocess v -o x.safetensors --tokenizer vocab.json
! gen-preprocess: vocab.json: no merges beside it; put the one that belongs to it there, as merges.txt or vocab.bpe
? 1
