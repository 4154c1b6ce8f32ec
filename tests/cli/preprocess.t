# gen-preprocess: a corpus to a dataset, and what it refuses.

$ gen-collect synth:verses -o v --max-bytes 30k -q && gen-preprocess v -o v.safetensors --json
<~ ^\{"program": "gen-preprocess", "version": "[0-9.]+", "out": "v.safetensors", "seed": 1, "seconds": [0-9.e-]+, "kind": "text", "train": 27000, "val": 3000, "test": 0, "vocab": 3[0-9], "content_sha256": "[0-9a-f]{64}", "peak_bytes": [0-9]+, "verdict": \{"grade": "good", "findings": \[\]\}\}$
!~ ^v\.safetensors: train 27,000, validation 3,000 tokens \(char\), vocabulary 3[0-9]; seed 1$
!~ ^baselines, bits per character: uniform 5\.[0-9]+, single symbols 4\.[0-9]+, 3-grams 1\.[0-9]+$
! verdict: good: nothing to mend

# -v tells where the time went.
$ gen-preprocess v -o v.safetensors -f -v 2>&1 | grep -c -E '^seconds: ([a-z ]+ [0-9.]+, )*all [0-9]+\.[0-9][0-9]$'
< 1

# The same again: the same bytes, whatever the time, the path, the number of threads.
$ cp -r v moved && gen-preprocess moved -o again.safetensors --threads 3 -q && cmp v.safetensors again.safetensors

# The split: training is the first floor((1 - val - test) N).
$ printf 'abcdefghij' | gen-collect - -o ten -q; gen-preprocess ten -o ten.safetensors -q --json | grep -o '"train".*"test": [0-9]*'
< "train": 9, "val": 1, "test": 0
$ gen-preprocess ten -o ten.safetensors -f -q --json --val 0.2 --test 0.1 | grep -o '"train".*"test": [0-9]*'
< "train": 7, "val": 2, "test": 1
$ gen-preprocess ten -o ten.safetensors -f -q --json --val 0 --max-bytes 5 | grep -o '"train".*"test": [0-9]*'
< "train": 5, "val": 0, "test": 0

# Items begin on new lines; CR LF and byte order marks go, unless --raw.
$ printf '\357\273\277a\r\nb' > 1.txt; printf 'c\n' > 2.txt; gen-collect 1.txt 2.txt -o two -q
$ gen-preprocess two -o two.safetensors --val 0 -q --json | grep -o '"train": [0-9]*'
< "train": 6
$ gen-preprocess two -o two.safetensors -f -q --val 0 --json --tokenizer byte --raw | grep -o '"train": [0-9]*'
< "train": 9
$ gen-preprocess v two -o both.safetensors -q

# A verdict is no failure.
$ head -c 500 /dev/zero | tr '\0' a | gen-collect - -o one -q; gen-preprocess one -o one.safetensors
! one.safetensors: train 450, validation 50 tokens (char), vocabulary 1; seed 1
! baselines, bits per character: uniform 0.000, single symbols 0.000, 3-grams 0.000
! gen-preprocess: warning: verdict: bad
! gen-preprocess: warning:   the text is one symbol again and again ('a'): there is nothing to learn; collect a text
$ gen-preprocess ten -o few.safetensors
!*
! gen-preprocess: warning: verdict: bad
! gen-preprocess: warning:   only 9 tokens to train on: a model can only learn them by heart; collect more
!*
! gen-preprocess: warning:   100.0 % of the validation tokens never occur in training; --tokenizer byte or bpe, or collect more of one kind

# Refusals.
$ gen-preprocess nowhere -o x.safetensors
! gen-preprocess: cannot open nowhere: no such folder
? 1
$ mkdir plain && gen-preprocess plain -o x.safetensors
! gen-preprocess: plain: no corpus: it has no manifest.jsonl; run its files through gen-collect first: gen-collect plain -o corpus
? 1
$ gen-preprocess 2.txt -o x.safetensors
! gen-preprocess: 2.txt: a file, no corpus; run it through gen-collect first: gen-collect 2.txt -o corpus
? 1
$ gen-collect - -o empty -q < /dev/null 2> /dev/null; gen-preprocess empty -o x.safetensors
! gen-preprocess: empty: the corpus is empty (1 item, no text); collect something first
? 1
$ printf 'caf\351\n' | gen-collect - -o latin -q 2> /dev/null; gen-preprocess latin -o x.safetensors
! gen-preprocess: latin/items/000001.txt (from standard input): not UTF-8: byte 0xe9 at byte 3 begins no character; give its encoding (--encoding NAME) or take bytes as they are (--tokenizer byte)
? 1
$ gen-preprocess latin -o latin.safetensors --tokenizer byte 2>&1 | grep encoding
< gen-preprocess: warning:   1 item is in no encoding that is read: bytes as they are; right for what is no text; else make it UTF-8 first (iconv)
# Encodings of seven bits would pass for ASCII.
$ printf '~{4:Ll@4AK#,P!:S@o5D1yHZ;/AK!#~}\n' > hz.txt; gen-collect hz.txt -o hz
! gen-collect: warning: hz.txt: in HZ, which gen-preprocess does not read; make it UTF-8 first
! hz: 1 item, 33 B; seed 1
$ gen-preprocess hz -o x.safetensors
! gen-preprocess: hz/items/000001.txt (from hz.txt): the text is in HZ, which is not read; make it UTF-8 first (iconv -f HZ -t UTF-8; where iconv lacks it, Python has it), or take it as it is (--encoding utf-8)
? 1
$ gen-preprocess hz -o hz.safetensors --encoding utf-8 -q && gen-preprocess hz -o hz2.safetensors --tokenizer byte 2>&1 | grep -c 'no encoding that is read'
< 1
$ printf 'a\0b' | gen-collect - -o zero -q 2> /dev/null; gen-preprocess zero -o x.safetensors
!~ no text: a NUL at byte 1; take --tokenizer byte
? 1
$ gen-preprocess v -o v.safetensors
! gen-preprocess: v.safetensors: is there already; --force replaces it
? 1
$ gen-preprocess v -o v.safetensors --force -q && cmp v.safetensors again.safetensors
$ gen-preprocess v -o plain --force
! gen-preprocess: plain: there is a folder of that name; take another
? 1
$ gen-preprocess v
! gen-preprocess: no place for the dataset; add -o NAME.safetensors
? 2
$ gen-preprocess -o x.safetensors
! gen-preprocess: no corpus given; name a folder that gen-collect made
? 2
$ gen-preprocess v -o x.safetensors --val 0.7 --test 0.3
! gen-preprocess: --val and --test take everything; together they must stay below 1
? 2
$ gen-preprocess v -o x.safetensors --vall 0.1
! gen-preprocess: unknown option --vall (did you mean --val?)
? 2
$ gen-preprocess v -o x.safetensors --val much
!~ --val much: must be a number
? 2
$ gen-preprocess v -o x.safetensors --val 2
! gen-preprocess: --val 2: must be 0 to 1
? 2
$ gen-preprocess v -o x.safetensors --tokenizer bpf
! gen-preprocess: --tokenizer bpf: must be char, byte, bpe or a file, and there is none of that name
? 2

# A damaged corpus.
$ cp -r v hurt; printf X | dd of=hurt/items/000001.txt bs=1 seek=100 conv=notrunc 2> /dev/null; gen-preprocess hurt -o x.safetensors
! gen-preprocess: hurt/items/000001.txt: not the bytes that were collected (its SHA-256 differs); collect it again
? 1
$ cp -r v short; head -c 100 v/items/000001.txt > short/items/000001.txt; gen-preprocess short -o x.safetensors
!~ short/items/000001.txt: 100 bytes, the manifest says
? 1
$ mkdir away; sed 's|items/000001.txt|../v/items/000001.txt|' v/manifest.jsonl > away/manifest.jsonl; gen-preprocess away -o x.safetensors
!~ away/manifest.jsonl:1: the path ../v/items/000001.txt may lead out of the corpus
? 1

# A damaged dataset, where it is read.
$ head -c 5000 v.safetensors > cut.safetensors; gen-train --data cut.safetensors --model lstm -o runs/cut
!~ cut.safetensors: cut short
? 1
$ cp v.safetensors flip.safetensors; printf X | dd of=flip.safetensors bs=1 seek=20000 conv=notrunc 2> /dev/null; gen-train --data flip.safetensors --model lstm -o runs/flip
!~ flip.safetensors: tensor train is damaged \(its checksum differs\)
? 1
$ cp v.safetensors head.safetensors; printf X | dd of=head.safetensors bs=1 seek=300 conv=notrunc 2> /dev/null; gen-train --data head.safetensors --model lstm -o runs/head
!~ head.safetensors: the header is damaged \(its checksum differs\)
? 1

# Nowhere to write.
$ gen-preprocess v -o nowhere/x.safetensors
! gen-preprocess: cannot write nowhere/x.safetensors: No such file or directory
? 1
$ gen-preprocess v -o /dev/full
!~ cannot write /dev/full
? 1
$ gen-preprocess v -o x.safetensors -q --json > /dev/full
!~ No space left on device
? 1
$ ls -A | grep tmp
? 1
$ gen-preprocess v two -o d.safetensors --deps d.mk -q; cat d.mk
< d.safetensors: v/manifest.jsonl two/manifest.jsonl
< v/manifest.jsonl two/manifest.jsonl:

# Encodings are told by what makes sense; the text, and so the content hash, is the same.
$ python3 -c "
> t = '春眠不覺曉，處處聞啼鳥。\n夜來風雨聲，花落知多少。\n' * 20
> for name in ('utf-8', 'gb18030', 'big5', 'utf-16'): open(name, 'wb').write(t.encode(name))
> open('marked', 'wb').write(t.replace('\n', '\r\n').encode('utf-8-sig'))"
$ for e in utf-8 gb18030 big5 utf-16 marked; do gen-collect $e -o c-$e -q 2> /dev/null; gen-preprocess c-$e -o $e.safetensors -q --json; done | grep -o '"content_sha256": "[0-9a-f]*"' | uniq | wc -l
< 1
$ gen-preprocess c-gb18030 -o gb.safetensors 2>&1 | head -n 1
<~ ^c-gb18030/items/000001.txt \(from gb18030\): GB18030 \([0-9.]+ % sure\), made UTF-8; --encoding NAME overrules$
$ gen-preprocess c-gb18030 -o y.safetensors --encoding utf-8
!~ not UTF-8: byte 0xb4 at byte 0 begins no character
? 1

# Documents: twins go before the split, which draws them; start and end are tokens.
$ printf 'one\ntwo\n\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten\none\n' > n.txt; gen-collect n.txt -o n -q; gen-preprocess n -o n.safetensors --documents line --json 2> said | grep -o '"train".*"vocab": [0-9]*'; grep left said
< "train": 54, "val": 5, "test": 0, "vocab": 16
< gen-preprocess: warning:   2 of 12 documents were there already and are left out; nothing to do, if that is right; --dedupe off keeps them
$ gen-preprocess n -o n2.safetensors --documents line --dedupe off --val 0 -q --json | grep -o '"train": [0-9]*'
< "train": 69
$ gen-preprocess n -o n3.safetensors --documents blank --val 0.5 -q --json | grep -o '"train": [0-9]*, "val": [0-9]*'
< "train": 9, "val": 50
$ gen-preprocess n -o y.safetensors --split random
! gen-preprocess: --split random and --split document want documents; add --documents line, blank or file
? 2

# Labels make classes, unless some documents have none.
$ gen-collect n.txt -o good -q --label good && printf 'bad\nworse\n' | gen-collect - -o bad -q --label bad
$ gen-preprocess good bad -o l.safetensors --documents line -q --json | grep -o '"vocab": [0-9]*'
< "vocab": 21
$ gen-preprocess good bad n -o y.safetensors --documents line --dedupe off
! gen-preprocess: 12 of 26 documents have no label, the others have; collect those again with --label, or leave labels out: --no-labels
? 1
$ gen-preprocess good bad n -o l2.safetensors --documents line -q --json --no-labels | grep -o '"vocab": [0-9]*'
< "vocab": 19

# Rare characters become one token; personal data are counted, or masked.
$ gen-preprocess n -o rare.safetensors --min-count 3 -q --json | grep -o '"vocab": [0-9]*'
< "vocab": 7
$ printf 'write to ada@example.org or bob@example.net\n' > mail.txt; gen-collect mail.txt -o mail -q; gen-preprocess mail -o mail.safetensors 2>&1 | grep address
< gen-preprocess: warning:   2 e-mail addresses in the text; --scrub-pii masks them
$ gen-preprocess mail -o mail2.safetensors --scrub-pii -q --json --val 0 | grep -o '"train": [0-9]*'
< "train": 28

# Options that contradict each other are said, not ignored.
$ gen-preprocess mail -o y.safetensors --raw --scrub-pii
! gen-preprocess: --raw leaves the bytes as they are: --encoding, --strip, --width, --lowercase and --scrub-pii do not go with it
? 2
$ gen-preprocess mail -o y.safetensors --tokenizer byte --min-count 2
! gen-preprocess: --min-count is about characters: it does not go with --tokenizer byte
? 2
$ gen-preprocess mail -o y.safetensors --dedupe near
! gen-preprocess: --dedupe near wants documents; add --documents line, blank or file
? 2

# Personal data go from bytes of no known encoding, too; rows of a table are UTF-8 whatever is said of files.
$ printf 'ada@example.org \377\376\375\374 caf\351\n' > odd.txt; gen-collect odd.txt -o odd -q 2> /dev/null; gen-preprocess odd -o odd.safetensors --tokenizer byte --scrub-pii --val 0 -q --json | grep -o '"train": [0-9]*'
< "train": 18
$ printf 'text,class\n春眠不覺曉,a\n處處聞啼鳥,a\n' > t.csv; gen-collect t.csv --column text -o t -q; gen-preprocess t -o t1.safetensors --documents line --val 0 -q --json | grep -o '"content_sha256": "[0-9a-f]*"' > 1; gen-preprocess t -o t2.safetensors --documents line --val 0 -q --json --encoding gb18030 | grep -o '"content_sha256": "[0-9a-f]*"' | cmp - 1 && echo same
< same

# --max-bytes takes whole documents; a class of which nothing is left is told.
$ gen-preprocess good bad -o m.safetensors --documents line --max-bytes 30 --val 0 -q --json | grep -o '"train": [0-9]*'
< "train": 48
$ gen-preprocess good -o y.safetensors --documents file --max-bytes 30
! gen-preprocess: the first document is longer than --max-bytes 30; take more, or other --documents
? 1
$ gen-collect n.txt -o twin -q --label twin; gen-preprocess good twin -o tw.safetensors --documents line 2>&1 | grep 'no training document'
< gen-preprocess: warning:   no training document is of class twin; collect more of it, or --dedupe off if all were twins of another class's

# An ideographic space is a blank, too.
$ printf '一\n　\n二\n' > blank.txt; gen-collect blank.txt -o blank -q; gen-preprocess blank -o blank.safetensors --documents blank --val 0 -q --json | grep -o '"train": [0-9]*'
< "train": 6

# A split that gets nothing is told with the option that mends it; a folder may end in a slash.
$ printf 'one\n' | gen-collect - -o single -q; gen-preprocess single -o y.safetensors --documents line --val 0 --test 0.5
! gen-preprocess: 1 document: too few for a split train; collect more, or give less to the others
? 1
$ gen-preprocess n -o tests.safetensors --documents line --test 0.1 2>&1 | head -n 1
< tests.safetensors: train 48, validation 6, test 5 tokens (char), vocabulary 16; seed 1
$ gen-preprocess c-gb18030/ -o slash.safetensors 2>&1 | head -n 1
<~ ^c-gb18030/items/000001.txt \(from gb18030\): GB18030
