# gen-collect: sources to a corpus, and what it refuses.

$ printf 'one\n' > one.txt; mkdir -p more/deep; printf 'two\n' > more/two.txt; printf 'three\n' > more/deep/three.txt
$ gen-collect one.txt more -o c --licence CC0-1.0 --label prose --json
<~ ^\{"program": "gen-collect", "version": "[0-9.]+", "out": "c", "seed": 1, "seconds": [0-9.e-]+, "kind": "text", "items": 3, "rows": 0, "samples": 0, "bytes": 14, "skipped": 0, "duplicates": 0, "without_licence": 0, "manifest_sha256": "[0-9a-f]{64}"\}$
! c: 3 items, 14 B; seed 1
$ ls c c/items
< c:
< items
< manifest.jsonl
<
< c/items:
< 000001.txt
< 000002.txt
< 000003.txt
$ cat c/items/*
< one
< three
< two
$ sed 's/"collected": "[^"]*"/"collected": "TIME"/' c/manifest.jsonl | head -n 1
< {"path": "items/000001.txt", "kind": "text", "bytes": 4, "sha256": "2c8b08da5ce60398e1f19af0e5dccc744df274b826abe585eaba68c525434806", "origin": "one.txt", "licence": "CC0-1.0", "label": "prose", "collected": "TIME"}
$ grep -c '"collected": "20[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]Z"' c/manifest.jsonl
< 3

# Nothing on standard output without --json; quiet says nothing at all.
$ gen-collect one.txt -o quiet -q 2>&1

# Standard input, origin, bounds.
$ printf 'abcdef' | gen-collect - -o in --origin 'a book' --max-bytes 4 -q && cat in/items/000001.txt
< abcd
$ grep -c '"origin": "a book"' in/manifest.jsonl
< 1
$ gen-collect more -o few --limit 1 -q && ls few/items
< 000001.txt

# Grammars: the seed decides, and nothing else does.
$ gen-collect synth:verses -o v1 --max-bytes 20k -q && gen-collect synth:verses -o v2 --max-bytes 20k --seed 1 -q
$ cmp v1/items/000001.txt v2/items/000001.txt
$ gen-collect synth:verses -o v3 --max-bytes 20k --seed 2 -q && cmp -s v1/items/000001.txt v3/items/000001.txt
? 1
$ gen-collect synth:couplets:five -o k --max-bytes 1k -q && grep -c '，.*。$' k/items/000001.txt
<~ ^2[0-9]$
$ gen-collect --list
<~ ^synth:verses
<*
$ gen-collect synth:odes -o o
! gen-collect: synth:odes: there is no such grammar; gen-collect --list shows what there is
? 1
$ test -e o
? 1

# Classes from folders: the first below the source, at any depth; who lies in none is told.
$ mkdir -p post/spam/old post/ham; echo a > post/spam/old/1.txt; echo b > post/ham/2.txt; echo c > post/3.txt
$ gen-collect post one.txt -o classes --label from-folder
! gen-collect: warning: 2 items have no class: in no folder below a SOURCE (post/3.txt, one.txt)
! classes: 4 items, 10 B; seed 1
$ grep -o '"origin": .*"label": [^,]*' classes/manifest.jsonl
< "origin": "post/3.txt", "licence": null, "label": null
< "origin": "post/ham/2.txt", "licence": null, "label": "ham"
< "origin": "post/spam/old/1.txt", "licence": null, "label": "spam"
< "origin": "one.txt", "licence": null, "label": null

# Rights that are known for some only, and what is there twice, are told; nothing is left out.
$ cp one.txt again.txt; gen-collect one.txt more again.txt synth:verses --max-bytes 300 -o rights --json > r.json
! gen-collect: warning: 4 of 5 items have no licence (one.txt, more/deep/three.txt, more/two.txt, ...), the others have one; find it out and collect them apart with --licence ID (gen-preprocess takes several corpora)
! gen-collect: warning: 1 item is byte for byte the same as one before (one.txt and again.txt): kept
!~ ^rights: 5 items
$ grep -o '"duplicates": 1, "without_licence": 4' r.json; cmp rights/items/000001.txt rights/items/000004.txt
< "duplicates": 1, "without_licence": 4
$ gen-collect one.txt synth:verses --max-bytes 300 --licence MIT -o rights2
!~ ^rights2: 2 items
$ gen-collect one.txt again.txt again.txt --origin 'one book' -o rights3 2>&1 | head -n 1
< gen-collect: warning: 2 items are byte for byte the same as one before (one book and one book): kept

# What is no text: taken by name, passed over in a folder.
$ printf 'caf\351\n' > latin.txt; mkdir mixed; cp latin.txt one.txt mixed; printf 'a\0b' > mixed/zero.bin
$ gen-collect latin.txt -o l
! gen-collect: warning: latin.txt: not UTF-8 at byte 3; taken as it is, gen-preprocess will want --tokenizer byte
! l: 1 item, 5 B; seed 1
$ gen-collect mixed -o m
! gen-collect: warning: mixed/latin.txt: no text (not UTF-8 at byte 3): passed over
! gen-collect: warning: mixed/zero.bin: no text (a NUL at byte 1): passed over
! m: 1 item, 4 B (some files were passed over); seed 1
$ mkdir none && gen-collect none -o n
! gen-collect: nothing to collect: no text in none
? 1
$ ls -A | grep tmp
? 1

# Refusals.
$ gen-collect nowhere.txt -o x
! gen-collect: cannot open nowhere.txt: No such file or directory
? 1
$ gen-collect gopher://someone:secret@example.org/a.txt -o x
! gen-collect: gopher://example.org/a.txt: only http://, https://, ftp:// and file:// are fetched; fetch it by other means and give the file
? 1
$ gen-collect c -o x
! gen-collect: c: is a corpus already; give it to gen-preprocess
? 1
$ gen-collect one.txt -o c
! gen-collect: c: is there already; --force replaces it
? 1
$ gen-collect one.txt -o c --force -q && cat c/items/*
< one
$ gen-collect one.txt -o more --force
! gen-collect: more: a folder with other things in it (deep/three.txt), no corpus: --force does not remove it
? 1
$ cat more/deep/three.txt
< three
$ gen-collect one.txt -o one.txt --force
! gen-collect: one.txt: there is a file of that name; take another for the corpus
? 1
$ gen-collect one.txt
! gen-collect: no place for the corpus; add -o FOLDER
? 2
$ gen-collect -o x
! gen-collect: nothing to collect; name a SOURCE: files, folders, -, an address, recipe:NAME or synth:verses
? 2
$ gen-collect one.txt -o x --max-bites 3
! gen-collect: unknown option --max-bites (did you mean --max-bytes?)
? 2
$ gen-collect one.txt -o x --encoding gb18030
!~ unknown option --encoding
? 2
$ gen-collect one.txt -o x --limit three
!~ --limit three: must be a whole number
? 2
$ gen-collect --list > /dev/full
!~ No space left on device
? 1
$ gen-collect one.txt -o /proc/c
!~ cannot make /proc/c
? 1

# Dependencies, with names as make reads them.
$ cp one.txt 'a name.txt'; gen-collect 'a name.txt' more -o d --deps d.mk -q; cat d.mk
< d/manifest.jsonl: a\ name.txt more/deep/three.txt more/two.txt
< a\ name.txt more/deep/three.txt more/two.txt:

# Foreign names are printed safely.
$ name=$(printf 'x\033[31m.txt'); printf 'caf\351' > "$name"; gen-collect "$name" -o esc -q
!~ x\\x1B\[31m\.txt: not UTF-8 at byte 3
