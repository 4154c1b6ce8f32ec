# gen-collect: addresses and recipes. Nothing here needs a network.

# Without curl the message says what to do, and nothing stays.
$ echo 'a text' > a.txt; here=$(command -v gen-collect); mkdir empty; PATH=$PWD/empty "$here" "file://$PWD/a.txt" -o c
!~ ^gen-collect: file:///.*/a.txt: cannot start curl: it is not installed, or not in PATH; install curl, or download the file by hand and give its name$
? 1
$ ls -A
< a.txt
< empty

# Recipes are built in; those of the user are files.
$ gen-collect --list | grep recipe
< recipe:mnist            70,000 handwritten digits, 28 x 28 grey, the original four files (11.1 MiB; licence: not stated)
< recipe:names            32,033 first names from US statistics, a-z, one a line (222.8 KiB; licence: MIT)
< recipe:nottingham       1,034 British and American folk tunes in ABC notation (435.6 KiB; licence: GPL-3.0)
< recipe:rt-polarity      10,662 sentences of film reviews, English, half of them positive (1.2 MiB; licence: not stated)
< recipe:tang300          366 poems of the Three Hundred Tang Poems, Chinese (traditional) (186.3 KiB; licence: MIT)
< recipe:tinyshakespeare  40,000 lines of Shakespeare's plays, English (1.1 MiB; licence: public domain)
$ gen-collect recipe:name -o x
! gen-collect: recipe:name: there is no such recipe (did you mean recipe:names?); gen-collect --list shows what there is
? 1
$ gen-collect recipe:./mine -o x
! gen-collect: cannot open ./mine: No such file or directory
? 1
$ echo '{"name": "x", "title": "y", "licence": null, "kind": "text", "files": [{"url": "file:///x", "sha256": "12", "bytes": 3}]}' > short.json; gen-collect recipe:short.json -o x
! gen-collect: short.json: file 1 needs url, sha256 (64 digits, as sha256sum prints them) and bytes
? 1
$ echo '{"name": "x", "title": "y", "kind": "text", "files": []}' > short.json; gen-collect recipe:short.json -o x
! gen-collect: short.json: a recipe needs name, title, files and licence (null: not stated)
? 1
$ echo '{"name": "x", "title": "y", "licence": null, "kind": "text", "files": []}' > short.json; gen-collect recipe:short.json -o x
! gen-collect: short.json: a recipe needs "files": [{"url", "sha256", "bytes"}, ...]
? 1
$ echo '{"name": "x", "title": "y", "licence": null, "kind": "smell", "files": []}' > short.json; gen-collect recipe:short.json -o x
! gen-collect: short.json: kind smell is not known to this version; "text", "image" and "table" are
? 1
$ echo '{"name": ' > short.json; gen-collect recipe:short.json -o x
!~ ^gen-collect: short.json:2:1: expected
? 1

# A server that sends without end is stopped at --max-download, and what came goes: this curl never ends by itself.
$ mkdir fake; mkfifo silence; printf '#!/bin/sh\nwhile [ "$1" != --output ]; do shift; done; head -c 50000 /dev/zero > "$2"; read -r line < silence\n' > fake/curl; chmod +x fake/curl
$ PATH=$PWD/fake:$PATH gen-collect http://host/endless --max-download 40k -o x; ls -A | grep -e tmp -e '^x$'
! gen-collect: http://host/endless: more than 40000 bytes come; nothing was kept; if so much is wanted, give --max-download a greater number (0: no bound)
? 1
# One that ends before anybody looks is measured all the same; at the bound it is taken.
$ sed -i 's/; read.*//' fake/curl; PATH=$PWD/fake:$PATH gen-collect http://host/fast --max-download 49999 -o x; ls -A | grep -e tmp -e '^x$'
! gen-collect: http://host/fast: more than 49999 bytes come; nothing was kept; if so much is wanted, give --max-download a greater number (0: no bound)
? 1
$ for most in 50k 0; do PATH=$PWD/fake:$PATH gen-collect http://host/fast --max-download $most -o fits$most -q 2> said; cat fits$most/items/* | wc -c; done
<~ ^ *50000$
<~ ^ *50000$

skip unless command -v curl
# What tells its size is not begun.
$ gen-collect "file://$PWD/a.txt" --max-download 6 -o x; ls -A | grep -e tmp -e '^x$'
!~ ^gen-collect: file:///.*/a.txt: more than 6 bytes come; nothing was kept
? 1
# A file by its address: the bytes, and the address as origin, without a password.
$ gen-collect "file://$PWD/a.txt" -o c && cmp a.txt c/items/000001.txt && ls c
! c: 1 item, 7 B; seed 1
< items
< manifest.jsonl
$ grep -o '"origin": "file:///.*/a.txt"' c/manifest.jsonl | wc -l
<~ ^ *1$
$ gen-collect "file://me:secret@localhost$PWD/a.txt" -o pass -q; cat pass/manifest.jsonl 2>/dev/null | grep -c secret
<~ 0
? 1
$ : > nothing; gen-collect "file://$PWD/nothing" -o empty1
!~ ^gen-collect: warning: file:///.*/nothing: empty$
! empty1: 1 item, 0 B; seed 1
$ cp a.txt 'b[1-2]{x}.txt'; gen-collect "file://$PWD/b[1-2]{x}.txt" --max-bytes 3 -o globs -q; cat globs/items/*; echo
< a t
$ mkdir .curl; echo 'fail-early = nonsense' > .curlrc; gen-collect "file://$PWD/a.txt" -o rc -q && rm .curlrc && cmp a.txt rc/items/000001.txt
$ printf 'n,t\n1,one\n2,two\n' > t.csv; gen-collect "file://$PWD/t.csv" --column t -o table -q; cat table/items/*
< "one"
< "two"
$ gen-collect "file://$PWD/t.csv" --column u -o x
!~ ^gen-collect: file:///.*/t.csv:1: there is no column u; there are n, t$
? 1
$ gen-collect "file://$PWD/gone.txt" -o x
!~ ^gen-collect: cannot fetch file:///.*/gone.txt: curl: \(37\) Could
? 1
$ gen-collect "http://localhost:0/x" -o x
!~ ^gen-collect: cannot fetch http://localhost:0/x: curl: \(
? 1
$ ls -A | grep -e tmp -e '^x$'
? 1

# A recipe: files, licence, labels, column. The bytes must be those that it means.
$ sum() { sha256sum "$1" | cut -c1-64; }; printf '{"name": "mine", "title": "Two files", "licence": "CC0-1.0", "protocol": "none", "kind": "text", "label": "all", "files": [{"url": "file://%s/a.txt", "sha256": "%s", "bytes": 7, "label": "first"},\n {"url": "file://%s/t.csv", "sha256": "%s", "bytes": 16}]}\n' "$PWD" $(sum a.txt) "$PWD" $(sum t.csv) > mine.json
$ gen-collect recipe:mine.json -o mine --deps d.mk; cat d.mk; cat mine/items/*; grep -o '"licence": .*"label": "[a-z]*"' mine/manifest.jsonl
! recipe:mine.json: Two files; none
! mine: 2 items, 23 B; seed 1
< mine/manifest.jsonl: mine.json
< mine.json:
< a text
< n,t
< 1,one
< 2,two
< "licence": "CC0-1.0", "label": "first"
< "licence": "CC0-1.0", "label": "all"
$ sed -e 's|{"url": "file:[^{]*label": "first"},||' -e 's/"kind"/"column": "t", "label_column": "n", "kind"/' mine.json > col.json; gen-collect recipe:./col.json -o col -q; cat col/items/*; grep -o '"label": "[a-z0-9]*"' col/manifest.jsonl
< "one"
< "two"
< "label": "1"
< "label": "2"
$ gen-collect recipe:col.json --column n -o col2 -q; cat col2/items/*
< "1"
< "2"
$ echo 'another' > a.txt; gen-collect recipe:mine.json -o x -q
!~ ^gen-collect: file:///.*/a.txt: its SHA-256 is [0-9a-f]{64} \(8 bytes\), that of recipe:mine.json [0-9a-f]{64} \(7 bytes\); it has changed there, or on the way$
? 1
$ ls -A | grep -e tmp -e '^x$'
? 1

# Stopped while it is fetching: curl ends, too, and nothing stays. The pipe is open when curl has begun to read it.
$ mkfifo pipe; gen-collect "file://$PWD/pipe" -o x -q 2>said & exec 3> pipe; kill -TERM $!; wait $!; echo "status $?"; cat said; ls -A | grep -e tmp -e '^x$'; trap '' PIPE; echo more >&3 || echo nobody reads
< status 143
<~ ^gen-collect: stopped while
< nobody reads
!*

# A recipe of images: packed, of a test set by their name, found with their labels.
$ printf '\0\0\010\003\0\0\0\002\0\0\0\001\0\0\0\002abcd' | gzip -n > t10k-images.gz; printf '\0\0\010\001\0\0\0\002\001\0' > t10k-labels
$ one() { echo "{\"url\": \"file://$PWD/$1\", \"sha256\": \"$( (sha256sum $1 || shasum -a 256 $1) 2> /dev/null | cut -d ' ' -f 1)\", \"bytes\": $(wc -c < $1)}"; }; echo "{\"name\": \"x\", \"title\": \"y\", \"licence\": \"CC0-1.0\", \"kind\": \"image\", \"files\": [$(one t10k-labels), $(one t10k-images.gz)]}" > images.json; gen-collect recipe:images.json -o i -q && grep -o '"kind": "[a-z]*"\|"licence.*split": "test"' i/manifest.jsonl
< "kind": "image"
< "licence": "CC0-1.0", "label": null, "documents": "idx", "split": "test"
< "kind": "labels"
< "licence": "CC0-1.0", "label": null, "documents": "idx", "split": "test"
