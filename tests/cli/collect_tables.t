# gen-collect --column: documents out of CSV, TSV, JSON and JSON lines.
$ printf 'id,text,stars\r\n1,"He said ""no"", and\nleft",5\r\n2,plain,1\r\n\r\n3,,5\r\n4,"x, y",5\r\n5,free,\r\n' > r.csv
$ gen-collect r.csv --column text --label-column stars -o c --json | grep -o '"items": .*"bytes": [0-9]*'
< "items": 3, "rows": 4, "samples": 0, "bytes": 50
$ grep -o '"path": "[^"]*"' c/manifest.jsonl; grep -o '"label": .*"documents": "[a-z]*"' c/manifest.jsonl
< "path": "items/000001.jsonl"
< "path": "items/000002.jsonl"
< "path": "items/000003.jsonl"
< "label": "5", "documents": "jsonl"
< "label": "1", "documents": "jsonl"
< "label": null, "documents": "jsonl"
$ cat c/items/000001.jsonl c/items/000002.jsonl c/items/000003.jsonl
< "He said \"no\", and\nleft"
< "x, y"
< "plain"
< "free"
$ gen-collect r.csv --column text -o one && cat one/items/*
! gen-collect: warning: r.csv: 1 row without a text in column text: passed over
! one: 1 item (4 rows), 50 B; seed 1
< "He said \"no\", and\nleft"
< "plain"
< "x, y"
< "free"

# Taken as plain text, a table is no error; how else it may be taken is said once.
$ gen-collect r.csv r.csv -o plain; cmp r.csv plain/items/000001.txt
! r.csv: looks like a table (id, text, stars), taken as plain text; --column NAME takes one of these, a document a row
! gen-collect: warning: 1 item is byte for byte the same as one before (r.csv and r.csv): kept
! plain: 2 items, 174 B; seed 1

# The same rows in every form give the same item; a folder of tables is no different, and what is no text is passed over.
$ printf 'id\ttext\n1\t"a ""b"""\n2\tc\n' > f.tsv; printf 'id;text\n1;"a ""b"""\n2;c' > f.csv
$ printf '[{"id":1,"text":"a \\"b\\""},\n {"text":"c"}]' > f.json; printf '{"text":"a \\"b\\""}\n\n{"text":"c","id":2}\n' > f.jsonl
$ printf '["a \\"b\\"", "c"]' > g.json; printf '"a \\"b\\""\n"c"\n' > g.jsonl
$ for f in f.tsv f.csv f.json f.jsonl g.json g.jsonl; do gen-collect $f --column text -o all --force -q; cat all/items/* | cksum; done | uniq | wc -l
<~ ^ *1$
$ cat all/items/000001.jsonl
< "a \"b\""
< "c"
$ mkdir d; cp f.tsv f.jsonl d; printf 'a\0b' > d/zero.bin; gen-collect d - --column text -o many < f.json 2>&1
< gen-collect: warning: d/zero.bin: no text (a NUL at byte 1): passed over
< gen-collect: warning: 2 items are byte for byte the same as one before (d/f.jsonl and d/f.tsv): kept
< many: 3 items (6 rows), 42 B (some files were passed over); seed 1

# JSON values: numbers as written, lists of texts as lines, null as nothing; one object may stand over several lines.
$ printf '[{"t": 12, "l": true}, {"t": ["one", "two"], "l": 3}, {"t": null, "l": 1}]' > v.json; gen-collect v.json --column t --label-column l -o v -q; cat v/items/*; grep -o '"label": [^,]*' v/manifest.jsonl
! gen-collect: warning: v.json: 1 row without a text in column t: passed over
< "12"
< "one\ntwo"
< "label": "true"
< "label": "3"
$ printf '{\n  "t": "alone",\n  "u": {"v": 1}\n}\n' > o.json; gen-collect o.json --column t -o o -q; cat o/items/*
< "alone"

# Rows are limited, sampled and bounded, whole.
$ seq 1000 | awk 'BEGIN { print "n" } { print "row " $1 }' > n.csv; gen-collect n.csv n.csv --column n --limit 1500 -o l; tail -n 1 l/items/000002.jsonl
! l: 2 items (1,500 rows), 14.4 KiB; seed 1
< "row 500"
$ gen-collect n.csv --column n --sample 0.25 -o s1 -q; gen-collect n.csv --column n --sample 0.25 -o s2 -q; gen-collect n.csv --column n --sample 0.25 --seed 2 -o s3 -q
$ cmp s1/items/000001.jsonl s2/items/000001.jsonl; cmp -s s1/items/000001.jsonl s3/items/000001.jsonl || wc -l < s1/items/000001.jsonl
<~ ^ *2[0-9][0-9]$
$ gen-collect n.csv r.csv --column n --max-bytes 25 -o b -q; cat b/items/*
< "row 1"
< "row 2"
< "row 3"
$ gen-collect n.csv --column n --max-bytes 5 -o b5
! gen-collect: the first row is longer than --max-bytes 5
? 1

# Errors name the file, the line and what there is.
$ gen-collect r.csv --column txet -o e
! gen-collect: r.csv:1: there is no column txet; there are id, text, stars
? 1
$ gen-collect r.csv --column text --label-column star -o e
! gen-collect: r.csv:1: there is no column star; there are id, text, stars
? 1
$ gen-collect f.json --column id -o e
! gen-collect: f.json:2: there is no column id; there are text
? 1
$ printf 'a,b\n1,2\n"x\ny",2,3\n' > bad.csv; gen-collect bad.csv --column a -o e
! gen-collect: bad.csv:3: 3 fields, the header has 2; quote a field that holds the separator or a line end
? 1
$ printf 'a,b\n1,2\n"open,3\n4,5\n' > bad.csv; gen-collect bad.csv --column a -o e
! gen-collect: bad.csv:3: a quoted field begins here and never ends; add its closing "
? 1
$ printf 'a,b\n1,"2"3\n' > bad.csv; gen-collect bad.csv --column a -o e
! gen-collect: bad.csv:2: text behind the closing " of a field; a " inside is written ""
? 1
$ printf 'a,b,a\n1,2,3\n' > bad.csv; gen-collect bad.csv --column a -o e
! gen-collect: bad.csv:1: there are two columns a; rename one of them
? 1
$ printf 'a,b\nx,1\ncaf\351,2\n' > bad.csv; gen-collect bad.csv --column a -o e
! gen-collect: bad.csv:3: not UTF-8; a table is UTF-8: convert it (iconv) and collect it again
? 1
$ printf '{"a": "x"}\n{"a": "y"\n' > bad.jsonl; gen-collect bad.jsonl --column a -o e
! gen-collect: bad.jsonl:2:1:10: expected ',' or '}', but the text ends here; is it cut short?
? 1
$ printf '[{"a": "x"},\n\n {"a": {"b": 1}}]' > bad.json; gen-collect bad.json --column a -o e
! gen-collect: bad.json:3: column a holds an object; wanted is a text, a number or a list of texts
? 1
$ printf '["x", 3]' > bad.json; gen-collect bad.json --column a -o e
! gen-collect: bad.json:1: this row is no object and no text
? 1
$ gen-collect g.json --column text --label-column l -o e
! gen-collect: g.json:1: a row that is a text has no column l
? 1
$ printf 'a,b\n' > none.csv; gen-collect none.csv --column a -o e
! gen-collect: nothing to collect: no text in none.csv
? 1
$ gen-collect r.csv --label-column stars -o e
! gen-collect: --label-column stars: which column holds the text? add --column NAME
? 2
$ gen-collect r.csv --column text --label-column stars --label x -o e
! gen-collect: --label x and --label-column stars: an item has one class; leave one of them out
? 2
$ gen-collect r.csv --column text --label-column text -o e
! gen-collect: --label-column text is the --column of the text; name another
? 2
$ ls -Ad e .*tmp* 2>/dev/null
? 2
