# gen-collect: images, IDX files, tables of numbers, what gzip has packed.
$ cat > lib.sh <<'END'
> # items CORPUS: what the manifest tells of each item
> items() { sed 's/"bytes": [0-9]*, "sha256": "[0-9a-f]*", //; s/, "collected": "[^"]*"//; s/"licence": null, //' "$1/manifest.jsonl"; }
> # idx N FIRST: N grey images of 2 x 2; labels N: N of them
> idx() { printf "\\0\\0\\010\\003\\0\\0\\0\\0$1\\0\\0\\0\\002\\0\\0\\0\\002"; i=0; while [ $i -lt $1 ]; do printf "$2%03d" $i; i=$((i + 1)); done; }
> labels() { printf "\\0\\0\\010\\001\\0\\0\\0\\0$1"; i=0; while [ $i -lt $1 ]; do printf "\\00$((i % 3))"; i=$((i + 1)); done; }
> END
$ mkdir -p pics/red pics/blue; printf 'P6 1 1 255\n\377\0\0' > pics/red/a.ppm; printf 'P5 2 1 255\nxy' > pics/red/b.pgm; printf 'P6 1 1 255\n\0\0\377' > pics/blue/c.ppm

# Images are told by what is in them; classes by folders; what is damaged, or none, is named.
$ . ./lib.sh; printf 'a note' > pics/readme.txt; printf 'P5 9 9 255\nshort' > pics/red/bad.pgm; printf '\377\330\377\340 no' > pics/blue/photo.jpg; gen-collect pics -o c --label from-folder; items c
!~ ^gen-collect: warning: pics/blue/photo.jpg: a JPEG image, which is not read: passed over$
! gen-collect: warning: pics/readme.txt: no image: passed over
!~ ^gen-collect: warning: pics/red/bad.pgm: .*: passed over$
! c: 3 items, 41 B (some files were passed over); seed 1
< {"path": "items/000001.pnm", "kind": "image", "origin": "pics/blue/c.ppm", "label": "blue"}
< {"path": "items/000002.pnm", "kind": "image", "origin": "pics/red/a.ppm", "label": "red"}
< {"path": "items/000003.pnm", "kind": "image", "origin": "pics/red/b.pgm", "label": "red"}
$ gen-collect pics/red/bad.pgm -o bad
!~ ^gen-collect: pics/red/bad.pgm: 
? 1
$ gen-collect pics/blue/photo.jpg -o bad
! gen-collect: pics/blue/photo.jpg: a JPEG image; PNG and PNM are read: convert it (magick photo.jpg x.png)
? 1
$ gen-collect pics/readme.txt --kind image -o bad
! gen-collect: pics/readme.txt: no image: it begins as none of PNG, PNM and IDX; leave --kind image out to take it as it is
? 1
$ gen-collect pics/readme.txt pics/red/a.ppm -o bad
! gen-collect: pics/red/a.ppm: of kind image, but what came before is of kind text; a corpus is of one kind: collect them apart, or say --kind
? 1

# A folder of texts with a picture in it is one of texts, as ever.
$ mkdir book; printf one > book/1.txt; printf two > book/2.txt; cp pics/red/a.ppm book/cover.ppm; gen-collect book -o b 2>&1 | sed 's/(.*)/(...)/'; gen-collect book --kind image -o b -f -q; ls b/items
< gen-collect: warning: book/cover.ppm: no text (...): passed over
< b: 2 items, 6 B (...); seed 1
!*
!*
< 000001.pnm

# IDX files find each other by their counts, packed or not, in whatever order; a test set is known by its name.
$ . ./lib.sh; mkdir m; idx 5 a | gzip > m/train-images.gz; labels 5 > m/train-labels; idx 3 b > m/t10k-images; labels 3 | gzip -9 > m/t10k-labels.gz; gen-collect m -o m.c; items m.c; cmp m.c/items/000003.idx m/t10k-images || idx 5 a | cmp - m.c/items/000003.idx
! m.c: 4 items (8 images), 88 B; seed 1
! 2 items are of a split told by their names; --split none leaves that to gen-preprocess
< {"path": "items/000001.idx", "kind": "image", "origin": "m/t10k-images", "label": null, "documents": "idx", "split": "test"}
< {"path": "items/000002.idx", "kind": "labels", "origin": "m/t10k-labels.gz", "label": null, "documents": "idx", "split": "test"}
< {"path": "items/000003.idx", "kind": "image", "origin": "m/train-images.gz", "label": null, "documents": "idx", "split": "train"}
< {"path": "items/000004.idx", "kind": "labels", "origin": "m/train-labels", "label": null, "documents": "idx", "split": "train"}
< m.c/items/000003.idx m/t10k-images differ: byte 8, line 1
$ . ./lib.sh; gen-collect m/t10k-labels.gz m/t10k-images --split none -o m2 -q; items m2
< {"path": "items/000001.idx", "kind": "image", "origin": "m/t10k-images", "label": null, "documents": "idx"}
< {"path": "items/000002.idx", "kind": "labels", "origin": "m/t10k-labels.gz", "label": null, "documents": "idx"}
$ . ./lib.sh; gen-collect m --limit 4 -o m3; od -An -tx1 m3/items/000003.idx | tr -d ' \n'; echo; od -An -tx1 m3/items/000004.idx
! m3: 4 items, 68 B; seed 1
! 2 items are of a split told by their names; --split none leaves that to gen-preprocess
< 0000080300000001000000020000000261303030
<  00 00 08 01 00 00 00 01 00
$ gen-collect m/t10k-labels.gz -o no
! gen-collect: m/t10k-labels.gz: 3 labels, and no IDX file of as many images beside it; collect both together
? 1
$ . ./lib.sh; idx 3 c > m/more-images; labels 3 > m/x-labels; labels 3 > m/y-labels; gen-collect m/more-images m/x-labels m/y-labels -o no
! gen-collect: m/more-images: which labels are its own? several files have 3 of them; collect each pair apart
? 1

# Headers that lie: sizes beyond the file, of nothing, of all there is.
$ printf '\0\0\010\003\0\0\0\011\0\0\0\002\0\0\0\002abcd' > lie.idx; gen-collect lie.idx -o no
!~ ^gen-collect: lie.idx: its sizes make 36 bytes from byte 16 on, but there are 4
? 1
$ printf '\0\0\010\003\0\0\0\005\0\0\0\0\0\0\0\002' > lie.idx; gen-collect lie.idx -o no
! gen-collect: lie.idx: an IDX file of nothing
? 1
$ printf '\0\0\010\003\377\377\377\377\377\377\377\377\377\377\377\377' > lie.idx; gen-collect lie.idx -o no
!~ ^gen-collect: lie.idx: its sizes make more elements
? 1
$ printf 'P5 65535 65535 255\nabc' > lie.pgm; gen-collect lie.pgm -o no
!~ ^gen-collect: lie.pgm: 
? 1
$ printf 'P5 0 0 255\n' > lie.pgm; gen-collect lie.pgm -o no
!~ ^gen-collect: lie.pgm: 
? 1
$ printf '\037\213\010\0broken' > lie.gz; gen-collect lie.gz -o no
!~ ^gen-collect: lie.gz: 
? 1

# gzip around a text, and around a table of texts.
$ printf 'a line\n' | gzip > t.txt.gz; printf 't\nx\n' | gzip > t.csv.gz; gen-collect t.txt.gz -o t -q; cat t/items/000001.txt; gen-collect t.csv.gz --column t -o t -f -q; cat t/items/000001.jsonl
< a line
< "x"

# Tables of numbers, and files that look like some and are to be texts.
$ . ./lib.sh; printf 'x,y\n1,2\n3,4\n' > n.csv; gen-collect n.csv -o n -q; items n; gen-collect n.csv --kind points -o n -f -q; items n; gen-collect n.csv --kind text -o n -f -q; items n; printf '1 2 a\n3 4 b\n' > w.txt; gen-collect w.txt --kind table --split test -o n -f -q; items n
< {"path": "items/000001.csv", "kind": "table", "origin": "n.csv", "label": null, "documents": "csv"}
< {"path": "items/000001.csv", "kind": "points", "origin": "n.csv", "label": null, "documents": "csv"}
< {"path": "items/000001.txt", "kind": "text", "origin": "n.csv", "label": null}
< {"path": "items/000001.csv", "kind": "table", "origin": "w.txt", "label": null, "documents": "csv", "split": "test"}
$ printf '1,2\n3,4\n\n5,6\n7,8\n' > l.csv; gen-collect l.csv --limit 3 -o l 2>&1; cat l/items/*
< l: 1 item (3 rows), 13 B; seed 1
< 1,2
< 3,4
<
< 5,6
$ printf '1,2\n3\n' > l.csv; gen-collect l.csv --kind table -o l -f
! gen-collect: l.csv:2: 1 field, the first row has 2
? 1
$ mkdir t2; cp l.csv t2/a.csv; cp n.csv t2/b.csv; cp n.csv t2/c.csv; gen-collect t2 -o l -f --kind table
! gen-collect: warning: t2/a.csv: no table of numbers: passed over
! gen-collect: warning: 1 item is byte for byte the same as one before (t2/b.csv and t2/c.csv): kept
! l: 2 items (4 rows), 24 B (some files were passed over); seed 1
$ gen-collect n.csv --kind text --split test -o n -f
! gen-collect: --split: texts are split by gen-preprocess
? 2

# train/CLASS/ and test/CLASS/: the class is the folder below.
$ . ./lib.sh; mkdir -p s/train/a s/test/a s/train/b; cp pics/red/a.ppm s/train/a; cp pics/red/b.pgm s/test/a; cp pics/blue/c.ppm s/train/b; gen-collect s -o s.c --label from-folder -q; items s.c
< {"path": "items/000001.pnm", "kind": "image", "origin": "s/test/a/b.pgm", "label": "a", "split": "test"}
< {"path": "items/000002.pnm", "kind": "image", "origin": "s/train/a/a.ppm", "label": "a", "split": "train"}
< {"path": "items/000003.pnm", "kind": "image", "origin": "s/train/b/c.ppm", "label": "b", "split": "train"}

# Out of nothing.
$ . ./lib.sh; gen-collect synth:shapes:grey --limit 20 -o y -q; items y | grep -o '"label.*'; gen-collect synth:points:moons --limit 3 -o y -f -q; items y; cat y/items/000001.csv
< "label": "circle", "documents": "idx"}
< "label": "square", "documents": "idx"}
< "label": "triangle", "documents": "idx"}
< "label": "cross", "documents": "idx"}
< "label": "ring", "documents": "idx"}
< {"path": "items/000001.csv", "kind": "points", "origin": "synth:points:moons seed 1", "licence": "CC0-1.0", "label": null, "documents": "csv"}
< x,y,class
<~ ^-?[0-9]\.[0-9]{6},-?[0-9]\.[0-9]{6},[01]$
<~ ^-?[0-9]\.[0-9]{6},-?[0-9]\.[0-9]{6},[01]$
<~ ^-?[0-9]\.[0-9]{6},-?[0-9]\.[0-9]{6},[01]$
$ gen-collect synth:points:spiral -o y -f
!~ ^gen-collect: synth:points:spiral: there is no such variant; take 8gaussians, 25gaussians, swissroll, moons or pinwheel$
? 1
$ gen-collect synth:shapes --max-bytes 500 -o y -f
! gen-collect: the first item is longer than --max-bytes 500
? 1
