# gen-evaluate: figures of trained models, a report, a quiz
$ gen-collect synth:verses --max-bytes 20k -o verses -q; gen-preprocess verses -o t.safetensors -q 2> /dev/null; gen-train --data t.safetensors --model lstm --layers 1 --hidden 16 --batch 8 --seq 20 --steps 60 -o a -q; gen-train --data t.safetensors --model ngram --order 3 -o b -q; gen-collect synth:shapes --limit 400 -o shapes -q; gen-preprocess shapes -o x.safetensors --size 8 --channels 1 -q 2> /dev/null; gen-train --data x.safetensors --model vae --hidden 16 --latent 2 --steps 60 -o v -q; gen-train --data x.safetensors --model gan --channels 4 --batch 16 --steps 30 -o g -q; gen-collect synth:points:8gaussians -o ring -q; gen-preprocess ring -o p.safetensors -q 2> /dev/null; gen-train --data p.safetensors --model gan --hidden 8 --steps 20 -o r -q; ls -d a b g r v | tr '\n' ' '; echo
< a b g r v 

# val_loss is what gen-train found, to the last digit; a name picks figures.
$ figure() { tr ',' '\n' | sed -n 's/.*"value": //p'; }; gen-evaluate a --metrics val_loss --json -q | figure; sed 's/.*"val_loss": \([^,]*\).*/\1/' a/result.json
<~ ^[0-9.]+$
<~ ^[0-9.]+$
$ [ "$(gen-evaluate a --metrics val_loss --json -q | tr ',' '\n' | sed -n 's/.*"value": //p')" = "$(sed 's/.*"val_loss": \([^,]*\).*/\1/' a/result.json)" ] && [ "$(gen-evaluate v --metrics val_loss --json -q | tr ',' '\n' | sed -n 's/.*"value": //p')" = "$(sed 's/.*"val_loss": \([^,]*\).*/\1/' v/result.json)" ] && echo the same
< the same
$ gen-evaluate a --metrics val_los
!~ ^gen-evaluate: there is no figure val_los; there are: val_loss, perplexity, bpc, 
? 2

# All figures of text, beside those of real text; two runs side by side; the same for any number of threads.
$ gen-evaluate a -n 20 -l 300 --threads 1 -q > one && gen-evaluate a -n 20 -l 300 --threads 3 -q > three && cmp one three && grep -c . one && grep '^bpc\|^distinct_2\|^copied\|^c2st_svm\|^memorised' one
< 20
<~ ^bpc  +[0-9.]+ bits  \([0-9.]+ without a model\)$
<~ ^distinct_2  +0\.[0-9]+  \(0\.[0-9]+ of real ones\)$
<~ ^copied  +[01]\.[0-9]+  \([01]\.[0-9]+ of real ones\)$
<~ ^c2st_svm  +[01]\.[0-9]+  \(0\.5000 of real ones\)$
< memorised       no
$ gen-evaluate a b --metrics bpc,perplexity -q
<~ ^	a	b$
<~ ^perplexity  +[0-9.]+	[0-9.]+$
<~ ^bpc  +[0-9.]+	[0-9.]+$

# Gates: exit 3, all is told first.
$ gen-evaluate a --metrics bpc --gate 'bpc<=0.5' --gate 'val_loss > 0' -q
<~ ^val_loss 
<~ ^bpc 
!~ ^gen-evaluate: a: bpc is [0-9.]+, the gate is bpc<=0\.5$
? 3
$ gen-evaluate r -n 400 --metrics modes --gate 'val_loss>0' -q
<~ ^modes 
! gen-evaluate: r: val_loss is not known, the gate is val_loss>0
? 3
$ gen-evaluate a --metrics ''
! gen-evaluate: --metrics: empty; leave it out for all figures, or name some, as 'bpc,copied'
? 2
$ gen-evaluate a --metrics bpc,val_loss --gate 'bpc<=99' --gate 'val_loss>0' -q | wc -l
< 2
$ gen-evaluate a --gate 'bpc=2'
! gen-evaluate: --gate bpc=2: must be a figure, <=, >=, < or >, and a number, as 'bpc<=2.2'
? 2

# Images and points: samples beside real ones, in the features of a classifier that is kept.
$ gen-evaluate v -n 120 --draws 20 -q > v.txt && cut -d' ' -f1 v.txt | tr '\n' ' '; echo; ls v/cache | sed 's/-.*//'
< val_loss elbo nll bits_per_dim frechet kernel precision recall density coverage mmd_p nearest label_accuracy class_balance c2st_logistic c2st_tree c2st_svm 
< features
$ cp -r v/cache g; gen-evaluate g -n 120 -q --json | tr ',' '\n' | grep -c '"val_loss"\|"nll"'; gen-evaluate g -n 120 -q --metrics precision,label_accuracy | wc -l
< 0
< 2
$ cp -r g g2; rm -r g2/cache; gen-evaluate v g2 -n 20 --metrics precision -q | wc -l; ls g2 | grep cache # one classifier for all
< 2
? 1
$ gen-evaluate r -n 400 -q --metrics modes,near,mmd_p
<~ ^mmd_p 
<~ ^modes  +[0-8]  \(8 of real ones\)$
<~ ^near 

# Points of a VAE are drawn from p(x|z), as gen-sample draws them, not its means: those of an untrained one lie all in the middle.
$ gen-train --data p.safetensors --model vae --no-labels --steps 1 -o pv -q && gen-evaluate pv --metrics frechet --gate 'frechet<2' -q > /dev/null && echo spread
< spread

# The report: one file, in English or Chinese, with nothing from outside; over training, what was copied, where it comes from.
$ gen-evaluate a -n 8 -l 200 -o r.html -q && gen-evaluate v -n 40 --draws 0 -o v.html --lang zh -q && grep -c 'http://\|https://\|<script' r.html v.html; grep -o 'id="[a-z]*"' r.html | tr '\n' ' '; echo; grep -c '指标' v.html; grep -o 'data:image/png' v.html | wc -l
< r.html:0
< v.html:0
<~ id="figures".*id="curves".*id="samples".*id="memory".*id="calibration".*id="origin"
<~ ^[1-9]
<~ ^[4-9]
$ gen-evaluate a -n 8 -o r.html
! gen-evaluate: r.html is there already; --force replaces it
? 1

# What is simplest stands beside all of it; so do the data's origins, and nothing is left out without a word.
$ gen-evaluate a -n 8 --metrics bpc --json -q > j; python3 -c 'import json; b = json.load(open("j"))["runs"][0]; x = b["baselines"]; assert list(x) == ["uniform", "unigram", "ngram"] and x["uniform"] > x["unigram"] > x["ngram"]; print("three")'; grep -c 'synth:verses seed 1.*CC0-1.0' r.html; grep -o '3-gram' r.html | head -n 1
< three
< 1
< 3-gram
$ gen-evaluate v -n 30 --draws 0 --metrics precision,recall,density,coverage,class_balance --json -q > j; python3 -c 'import json; m = json.load(open("j"))["runs"][0]["metrics"]; assert len(m) == 5; b = {k: x["baseline"] for k, x in m.items()}; assert all(0 <= b[k] <= 1 for k in ("precision", "recall", "coverage")) and b["density"] >= 0 and 0 <= b["class_balance"] < 2; print("all")'
< all
$ for i in $(seq 17); do ln -s a many$i; done; gen-evaluate many* -o many.html --metrics bpc -q; grep -o 'The first 16 of 17 runs' many.html; rm many*
< The first 16 of 17 runs
$ gen-evaluate a -n 8 --metrics bpc --draws 5 -q | head -n 0; gen-evaluate v -n 8 --metrics bits_per_dim --length 5 --temperature 0.5 --prompts t.safetensors -q | head -n 0
! gen-evaluate: warning: --draws: nothing to do with a, a lstm of text
! gen-evaluate: warning: --length, --temperature, --prompts: nothing to do with v, a vae of images

# A quiz for people, and their answers.
$ gen-evaluate a -n 8 -l 100 --metrics distinct_1 --quiz q.html --quiz-items 6 -q > /dev/null && grep -c '<title>' q.html; printf 'r\n3\n3\n3\ng\n4\n4\n4\nq\n' | gen-evaluate a -n 8 -l 100 --metrics distinct_1 --quiz - --quiz-items 6 -q > /dev/null; gen-evaluate a -n 8 -l 100 --metrics distinct_1 --ratings answers.json --json -q | tr '{' '\n' | grep -c '"raters": 1'
< 1
< 1

# Other data are refused, and a split that is not there.
$ gen-evaluate a --data x.safetensors
! gen-evaluate: a was trained on text, and x.safetensors holds images
? 1
$ gen-evaluate a --split test
! gen-evaluate: t.safetensors: no test split to judge by; make one with gen-preprocess --test 0.1
? 1
$ cp a/model.safetensors m.safetensors; gen-evaluate m.safetensors
! gen-evaluate: m.safetensors does not say what it was trained on: give --data FILE
? 2

# What learned a text by heart is exposed, with passages; prompts that must be continued.
$ gen-collect synth:couplets --max-bytes 20k -o few -q; gen-preprocess few -o few.safetensors --val 0.5 -q 2> /dev/null; gen-train --data few.safetensors --model lstm --layers 1 --hidden 96 --batch 8 --seq 40 --steps 500 --lr 8e-3 --eval-every 500 -o heart -q
$ gen-evaluate heart -n 20 -l 100 --temperature 0.5 --json -q | tr ',' '\n' | grep -o '"memorised": [a-z]*'; gen-evaluate a -n 20 -l 200 --json -q | tr ',' '\n' | grep -o '"memorised": [a-z]*'
< "memorised": true
< "memorised": false
$ printf 'The moon\t\nA\tnothing of the kind\n' > prompts; gen-evaluate a --prompts prompts --metrics exact_match -q
<~ ^exact_match  +0\.5000$

# A split that is sorted, as folders make it: real ones are taken from all of it, and so are those whose likelihood is worked out.
$ awk 'BEGIN { for (i = 0; i < 6000; i++) print (i < 4500 ? 0 : 9) + i * 7 % 10 / 10 "," (i < 4500 ? 0 : 9) + i * 3 % 7 / 7 }' > sorted.csv; gen-collect sorted.csv -o sorted -q; gen-preprocess sorted --val 0.2 -o sorted.safetensors -q; gen-train --data sorted.safetensors --model vae --hidden 4 --steps 2 -o s -q; gen-evaluate s -n 300 --draws 5 --metrics frechet,elbo,nll -q > s.txt; awk '$1 == "elbo" { loss = -$2 } $1 == "nll" { near = $2 > 0.8 * loss } $1 == "frechet" { far = $2 > 10 } END { print near, far }' s.txt
< 1 1

# A run folder that may not be written to keeps no features, and is judged none the less.
$ rm -rf v/cache; : > v/cache; gen-evaluate v -n 40 --metrics recall -q; rm v/cache
<~ ^recall 
!~ ^gen-evaluate: warning: what was learned of the images is not kept for the next time: 

# A quiz wants samples, whatever figures are wanted.
$ gen-evaluate v -n 20 --metrics val_loss --quiz few.html --quiz-items 4 -q; ls few.html
<~ ^val_loss 
< few.html

# What was not compared with the training text is not called fine, nor what is too short.
$ gen-evaluate a -n 5 -l 50 --metrics distinct_1 --json -q | grep -c memorised; gen-evaluate a -n 5 -l 5 --metrics copied --json -q | grep -o '"memorised": [a-z]*'; gen-evaluate a -n 5 -l 50 --metrics distinct_1 -o d.html -q; grep -c 'id="memory"' d.html
< 0
< "memorised": null
< 0
? 1

# No output takes the place of what is read, of answers that a person gave, or of the other output.
$ gen-evaluate a --metrics bpc -o a/model.safetensors --force
! gen-evaluate: a/model.safetensors is read here; give the output another name
? 2
$ gen-evaluate a --metrics bpc --data t.safetensors --quiz t.safetensors --force
! gen-evaluate: t.safetensors is read here; give the output another name
? 2
$ ln -s a a-too; gen-evaluate a --metrics bpc -o ./a-too/model.safetensors --force; gen-evaluate a --metrics bpc --ratings answers.json -o "$PWD/answers.json" --force; gen-evaluate a --metrics bpc -o both.html --quiz ./both.html
! gen-evaluate: ./a-too/model.safetensors is read here; give the output another name
!~ ^gen-evaluate: /.*/answers\.json is read here; give the output another name$
! gen-evaluate: both.html cannot be both report and quiz; name another
? 2
$ gen-evaluate a -o no/where.html; gen-evaluate a --quiz no/where.html; gen-evaluate a -o here.html --deps no/where.d; ls -d no here.html 2> /dev/null
! gen-evaluate: cannot write no/where.html: there is no folder no; make it first
! gen-evaluate: cannot write no/where.html: there is no folder no; make it first
! gen-evaluate: cannot write no/where.d: there is no folder no; make it first
? 2
$ gen-evaluate a -n 8 --quiz - < /dev/null
! gen-evaluate: answers.json is there already; --force replaces it
? 1
$ gen-evaluate a --metrics bpc -o - --json
! gen-evaluate: -o -: standard output is taken by --json; name a file for the report
? 2
$ gen-evaluate r -n 20 --metrics modes --quiz points.html
! gen-evaluate: r: --quiz shows people texts and images, and these are points
? 2

# What is missing is named before any work; people's answers come with the table, too.
$ gen-evaluate nothing
! gen-evaluate: cannot open nothing: No such file or directory
? 1
$ gen-evaluate a --metrics bpc --ratings nothing.json
! gen-evaluate: cannot open nothing.json: No such file or directory
? 1
$ gen-evaluate a --metrics bpc --ratings answers.json -q
<~ ^bpc 
<~ ^1 rater, 6 items: 

# Runs that were judged by different data are said not to compare.
$ gen-evaluate a heart --metrics bpc -q
<~ ^	a	heart$
<~ ^bpc 
! gen-evaluate: warning: heart and a are judged by different data: their figures do not compare; --data gives all the same

# Prompts: lines are counted as an editor counts them, and may end as on Windows; --deps names the file.
$ printf 'The\t\r\n\r\nThe moon\n' > windows; gen-evaluate a --prompts windows --metrics exact_match -q
! gen-evaluate: a: windows: line 3: no tab between a prompt and what must follow
? 1
$ printf 'The\t\r\n\r\n' > windows; gen-evaluate a --prompts windows --metrics exact_match -o w.html --deps w.d -q && sed -n 's/:.*windows.*/ knows/p' w.d | head -1; gen-evaluate a --prompts windows --metrics exact_match -q
< w.html knows
<~ ^exact_match  +1\.0000$

# The report: each picture of training once; no section of curves without any; arrows to what is better; parameters.
$ gen-train --data x.safetensors --model vae --hidden 4 --latent 2 --steps 4 --sample-every 2 -o two -q; cp -r g/cache two; gen-evaluate two -n 20 --metrics recall -o two.html -q; ls two/samples | wc -l; grep -o '<figcaption>0[0-9]*.png' two.html | sort | uniq -c | tr -s ' '; gen-evaluate b --metrics bpc -o b.html -q; grep -c 'id="curves"' b.html; grep -o 'bpc, bits ↓' b.html
< 2
<  1 <figcaption>000002.png
<  1 <figcaption>000004.png
< 0
< bpc, bits ↓
$ mkdir -p b/samples; awk 'BEGIN { printf "a"; for (i = 0; i < 300; i++) printf "春" }' | tee b/samples/1.txt > b/samples/2.txt; gen-evaluate b --metrics bpc -n 8 -l 100 --quiz c.html -o c2.html -q; grep -c '春' c2.html; grep -c '\\x' c2.html
< 2
< 0
? 1

# Variety falls as text grows: it is of as many samples as there are real texts of that length, or stands alone.
$ gen-evaluate a -n 6 -l 300 --metrics distinct_1,self_bleu -q > six; gen-evaluate a -n 40 -l 300 --metrics distinct_1,self_bleu -q | cmp - six && cut -d' ' -f1 six; gen-evaluate a -n 40 --metrics distinct_1 -q
< distinct_1
< self_bleu
<~ ^distinct_1  +[0-9.]+$

# A kernel distance of few samples has an interval that is one; a single loss of validation is a point that can be seen.
$ gen-evaluate v -n 40 --metrics kernel --json -q | sed 's/.*"value": \([^,]*\), "low": \([^,]*\), "high": \([^,]*\),.*/\1 \2 \3/' | awk '{ print ($3 - $2 > 0.001 * $1) }'; gen-evaluate a --metrics bpc -o point.html -q; grep -o 'class="point"' point.html | wc -l
< 1
<~ ^[1-9]

# Where memory ends, no report says less than it should: it is whole, or it is not there.
$ gen-evaluate a -n 8 -l 60 -o whole.html -q; for n in $(seq 152 3 460); do TG_FAULT=malloc:$n gen-evaluate a -n 8 -l 60 -o part.html --force -q 2> error; case $? in 0) cmp whole.html part.html;; 1) grep -c 'out of memory' error;; *) echo crashed at $n; cat error;; esac; done | sort -u
< 1
