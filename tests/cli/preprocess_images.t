# gen-preprocess: images and points to a dataset.
$ cat > lib.sh <<'END'
> # member DATASET NAME...: members of the file's metadata
> member() { gen-preprocess "$@" -q --json | tr ',' '\n' | grep -E '"(train|val|test|classes|kind)"' | tr '\n' ','; echo; }
> idx() { printf "\\0\\0\\010\\003\\0\\0\\0\\$1\\0\\0\\0\\002\\0\\0\\0\\002"; awk "BEGIN { for (i = 0; i < $2; i++) printf \"%c%c%c%c\", 65 + i % 50, 97 + i / 50, $3, 50 }"; }
> labels() { printf "\\0\\0\\010\\001\\0\\0\\0\\$1"; awk "BEGIN { for (i = 0; i < $2; i++) printf \"%c\", 1 + i % 3 }"; }
> END
$ . ./lib.sh; mkdir m; idx 144 100 60 > m/train-images; labels 144 100 > m/train-labels; idx 24 20 61 > m/t10k-images; labels 24 20 > m/t10k-labels; gen-collect m -o c -q; gen-preprocess c -o x.safetensors
! the corpus's own test split is kept; --split random draws anew
! x.safetensors: train 90, validation 10, test 20 images of 2 x 2 grey, 3 classes; seed 1
!~ ^mean 0\.2[0-9]*, deviation 0\.[0-9]*; baseline, nats per image: 2\.[0-9] \(each pixel for itself\)$
! x.png: to look at
! gen-preprocess: warning: verdict: bad
! gen-preprocess: warning:   only 90 images to train on: a model can only learn them by heart; collect more
! gen-preprocess: warning:   only 10 images to validate on: the loss there is noise; --val 0.2, or collect more
$ gen-preprocess c -o x.safetensors -f -q --json
<~ ^\{"program": "gen-preprocess", "version": "[0-9.]+", "out": "x.safetensors", "seed": 1, "seconds": [0-9.e-]+, "kind": "image", "train": 90, "val": 10, "test": 20, "shape": \[1, 2, 2\], "classes": 3, "figures": \{"mean": \[0\.[0-9]+\], "deviation": \[0\.[0-9]+\]\}, "baselines": \{"pixels": \{"nats": [0-9.]+, "bits": [0-9.]+\}\}, "sheet": "x.png", "content_sha256": "[0-9a-f]{64}", "peak_bytes": [0-9]+, "verdict": \{"grade": "bad", "findings": \[.*\]\}\}$

# The same again: the same bytes, for any number of threads and wherever it lies; another seed draws others to validate.
$ cp -r c moved; gen-preprocess moved -o y.safetensors --threads 3 -q 2> /dev/null; cmp x.safetensors y.safetensors && cmp x.png y.png; gen-preprocess c -o y.safetensors -f -q --seed 2 2> /dev/null; cmp -s x.safetensors y.safetensors || echo differs
< differs

# Splits, classes, doubles.
$ . ./lib.sh; member c -o x.safetensors -f --split random --test 0.25 2> /dev/null; member c -o x.safetensors -f --split random --val 0 --no-labels 2> /dev/null; gen-preprocess c -o x.safetensors -f --test 0.1
<  "kind": "image", "train": 78, "val": 12, "test": 30, "classes": 3,
<  "kind": "image", "train": 120, "val": 0, "test": 0, "classes": 0,
! gen-preprocess: --test: the corpus has a test split of its own (20 samples); leave --test out, or draw anew: --split random
? 2
$ . ./lib.sh; gen-collect m/train-images m/train-labels -o one -q; gen-collect m/train-images m/train-labels -o two --split test -q; gen-preprocess one two -o x.safetensors -f
!~ ^gen-preprocess: nothing is left to train on: .* \(100 samples\); collect others, or --split random$
? 1
$ . ./lib.sh; gen-preprocess one one -o x.safetensors -f 2>&1 | grep -E 'train|already'; gen-preprocess one one -o x.safetensors -f --dedupe off 2>&1 | grep -E 'train|stand'
< x.safetensors: train 90, validation 10 images of 2 x 2 grey, 3 classes; seed 1
< gen-preprocess: warning:   only 90 images to train on: a model can only learn them by heart; collect more
< gen-preprocess: warning:   100 of 200 images were there already and are left out; nothing to do, if that is right; --dedupe off keeps them
<~ ^x.safetensors: train 180, validation 20
<~ ^gen-preprocess: warning:   180 images to train on are few
<~ images? of validation and test stands? in training, too; --dedupe exact$

# Nearly the same: one picture of 16 x 16, once more a little darker, and its negative.
$ mkdir nr; for k in 10 9 0; do awk -v k=$k 'BEGIN { print "P2 16 16 255"; for (i = 0; i < 256; i++) { v = i * i % 199; print k ? int(v * k / 10) : 255 - v } }' > nr/$k.pgm; done; gen-collect nr -o nrc -q; for o in exact near; do gen-preprocess nrc -o n.safetensors -f --val 0 --dedupe $o 2>&1 | grep -E '^n.saf|nearly'; done
< n.safetensors: train 3, validation 0 images of 16 x 16 grey; seed 1
< n.safetensors: train 2, validation 0 images of 16 x 16 grey; seed 1
< gen-preprocess: warning:   1 of 3 images nearly equals one that was there already, and is left out; nothing to do, if that is right; --dedupe exact keeps them
$ gen-collect synth:points:moons -o nrp -q --limit 9; gen-preprocess nrp -o n.safetensors -f --dedupe near
! gen-preprocess: --dedupe near is about text and images; points all stay, a distribution may well repeat itself
? 2

# Sizes, colours, backgrounds.
$ mkdir p; printf 'P6 4 2 255\n\377\0\0\377\0\0\0\377\0\0\377\0\377\0\0\377\0\0\0\377\0\0\377\0' > p/a.ppm; printf 'P5 6 6 255\nabcdefghijklmnopqrstuvwxyz0123456789' > p/b.pgm; printf 'P5 3 3 255\nabcabcabc' > p/c.pgm; gen-collect p -o pc -q; gen-preprocess pc -o p.safetensors --val 0 2>&1 | head -n 2
< sizes from 3 x 2 to 6 x 6 become 3 x 3; --size N for another
< p.safetensors: train 3, validation 0 images of 3 x 3 RGB; seed 1
$ for o in '--size 2' '--size 2 --channels 1' '--size 2 --fit pad --background 0000ff' '--augment flip'; do gen-preprocess pc -o p.safetensors -f -q --val 0 --json $o 2> /dev/null | grep -o '"shape": [^]]*.\|"content_sha256": "....'; done | sort | uniq -c | sort -rn | awk '{ print $1, $2, $3, $4, $5 }' | grep shape
< 2 "shape": [3, 2, 2]
< 1 "shape": [3, 3, 3]
< 1 "shape": [1, 2, 2]
$ gen-preprocess pc -o p.safetensors -f --background white
! gen-preprocess: --background white: must be six hexadecimal digits, RRGGBB, as FFFFFF
? 2
$ gen-preprocess pc -o p.safetensors -f --val 0 --lowercase --documents line 2>&1 | head -n 1
< gen-preprocess: warning: --lowercase, --documents: nothing to do with images

# The sheet: elsewhere, nowhere, never over another's file.
$ rm -f *.png; gen-preprocess pc -o q.safetensors --val 0 -q --sheet look.png 2> /dev/null; gen-preprocess pc -o r.safetensors --val 0 -q --sheet none 2> /dev/null; echo mine > s.png; gen-preprocess pc -o s.safetensors --val 0 2>&1 | grep s.png; ls *.png; cat s.png; head -c 4 look.png | tail -c 3
< s.png: is there already, and no sheet of this data; --sheet FILE or --force writes one
< look.png
< s.png
< mine
< PNG
$ gen-preprocess pc -o u.safetensors --sheet s.png
! gen-preprocess: --sheet s.png: is there already; --force replaces it
? 1
$ gen-preprocess pc -o u.safetensors --sheet u.safetensors
! gen-preprocess: --sheet u.safetensors: the dataset goes there; name another
? 2

# Tables: points, or images.
$ awk 'BEGIN { print "a,b,c,d,label"; for (i = 0; i < 40; i++) print i % 17 ",16," i / 4 % 8 "," i % 5 "," (i % 2 ? "odd" : "even") }' > t.csv; gen-collect t.csv --kind table -o t -q; gen-preprocess t -o t.safetensors --sheet none 2>&1 | head -n 2; gen-preprocess t -o t.safetensors -f --sheet none --shape 1x2x2 2>&1 | head -n 1; gen-preprocess t -o t.safetensors -f --shape 1x3x2
<~ ^t.safetensors: train 36, validation 4 points of 4 coordinates, 2 classes; seed 1$
<~ ^mean [0-9. ]*, deviation [0-9. ]*$
< t.safetensors: train 36, validation 4 images of 2 x 2 grey, 2 classes; seed 1
!~ ^gen-preprocess: t/items/000001.csv \(from t.csv\): rows have 5 columns; --shape 1x3x2 wants 6, and one more for a label$
? 1
$ gen-preprocess t -o t.safetensors -f --label-column none --sheet none
!~ ^gen-preprocess: t/items/000001.csv \(from t.csv\):2: field 5 is no number: "even"; if it is the class, give --label-column first or last$
? 1
$ awk 'BEGIN { for (i = 0; i < 30; i++) { for (k = 0; k < 65; k++) printf "%s%d", k ? "," : "", (i * k) % 16; print "" } }' > d.csv; gen-collect d.csv -o d -q; gen-preprocess d -o d.safetensors --sheet none 2>&1 | head -n 1
< 65 whole numbers a row: if they are pixels and a class, --shape 1x8x8 makes images of them
$ gen-collect synth:points:8gaussians --limit 1000 -o g -q; gen-preprocess g -o g.safetensors 2>&1 | head -n 3
< g.safetensors: train 900, validation 100 points of 2 coordinates, 8 classes; seed 1
<~ ^mean -?0\.[0-9]* -?0\.[0-9]*, deviation 1\.[0-9]* 1\.[0-9]*; baseline, nats per point: 3\.[0-9]* \(each coordinate for itself\)$
< g.png: to look at

# What learns from text says so; options of images do nothing to text.
$ gen-train --data g.safetensors --model ngram -o r
! gen-train: g.safetensors: a dataset of points; ngram learns from text: take one that gen-preprocess made of text
? 1
$ gen-train --data x.safetensors --model lstm -o r
! gen-train: x.safetensors: a dataset of images; lstm learns from text: take one that gen-preprocess made of text
? 1
$ gen-collect synth:tasks --max-bytes 5k -o w -q; gen-preprocess w -o w.safetensors --tokenizer g.safetensors
! gen-preprocess: g.safetensors: no tokeniser in it; take a dataset or a model
? 1
$ gen-preprocess w -o w.safetensors --size 8 2>&1 | head -n 1
<~ ^gen-preprocess: warning: the corpus is text: --size, 
$ gen-preprocess c w -o x.safetensors -f
!~ ^gen-preprocess: w/items/000001.txt \(from synth:tasks seed 1\): an item of kind text among images; collect kinds apart, a dataset is of one$
? 1
