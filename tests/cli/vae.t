# gen-train and gen-sample of images and points
$ gen-collect synth:shapes --limit 400 -o shapes -q; gen-preprocess shapes -o x.safetensors --size 12 --channels 1 -q 2> /dev/null; gen-collect synth:points:moons -o moons -q; gen-preprocess moons -o p.safetensors -q 2> /dev/null; gen-collect synth:verses --max-bytes 12k -o verses -q; gen-preprocess verses -o t.safetensors -q 2> /dev/null; ls *.safetensors
< p.safetensors
< t.safetensors
< x.safetensors

# What learns from what.
$ gen-train --data x.safetensors --model lstm -o a
! gen-train: x.safetensors: a dataset of images; lstm learns from text: take one that gen-preprocess made of text
? 1
$ gen-train --data t.safetensors --model vae -o a
! gen-train: t.safetensors: a dataset of text; vae learns from images and points: take one that gen-preprocess made of images and points
? 1
$ gen-train --data p.safetensors --model vae --arch conv -o a
! gen-train: points are no images: they take --arch mlp and --likelihood gaussian
? 2
$ gen-train --data x.safetensors --model vae --likelihood logistic --binarize static -o a
! gen-train: --binarize makes pixels 0 or 1, which only --likelihood bernoulli is for
? 2
$ gen-train --data x.safetensors --preset vae-mnist --dry-run | grep -E '^(model|steps|images a step)'
<~ ^model +vae$
<~ ^images a step +128$
<~ ^steps +35,000$

# Training: what is told, the log, the result.
$ gen-train --data x.safetensors --model vae --hidden 16 --latent 2 --batch 16 --steps 40 --eval-every 20 --seq 9 --binarize dynamic -o a
! gen-train: warning: --seq: of no use to images, each of which is one piece
!~ ^vae of [0-9,]+ parameters on [0-9]+ training images, seed 1$
!~ ^chosen by the data's size: likelihood bernoulli, lr 0\.001, clip 0, schedule wsd, min-lr 0\.0001, warmup 2, sample-every 20$
!~ ^images of \[1, 12, 12\] in an order that the seed draws anew each epoch; [0-9]+ classes are learned apart \(--no-labels: as one\); pixels become 0 or 1 by chance anew each time, by Philox of seed and step$
!*
!~ ^step 40/40  epoch [0-9.]+  train [0-9.]+  val [0-9.]+  recon [0-9.]+  kl [0-9.]+  bits/dim [0-9.]+ .*images/s$
$ ls a a/samples | tr '\n' ' '; echo; tail -n 1 a/log.jsonl | sed 's/": [^,}]*/"/g'; tr ',' '\n' < a/result.json | grep -c '"bits_per_dim"\|"recon"\|"kl"\|"pixels"\|"images_per_second"'
< a: config.json log.jsonl model.safetensors result.json samples state.safetensors  a/samples: 000020.png 000040.png 
< {"step", "epoch", "images", "train_loss", "val_loss", "bits_per_dim", "recon", "kl", "val_recon", "val_kl", "lr", "grad_norm", "images_per_second", "seconds", "peak_memory"}
< 5
$ gen-train --data x.safetensors --model vae --dry-run --hidden 16 | grep -E 'images|parameters' | awk '{ print $1, $2 }'
< parameters 5,944
< training images
< images a

# The same bytes for any number of threads, on plain C, and stopped and resumed; the log, too, but for times.
$ t() { gen-train --data x.safetensors --model vae --arch conv --channels 4 --hidden 16 --latent 2 --batch 16 --steps 12 --eval-every 4 --binarize static --kl-warmup 8 -q "$@"; }; t -o one --threads 1 && t -o three --threads 3 && TG_ISA=scalar t -o scalar && t -o parts --until 5 && t -o parts --resume --until 9 && t -o parts --resume --until 0; for r in three scalar parts; do for f in model state; do cmp one/$f.safetensors $r/$f.safetensors; done; cmp one/samples/000012.png $r/samples/000012.png; done;

# Killed while saving, it goes on as if nothing had been: the state, and the log up to the rates.
$ k() { gen-train --data x.safetensors --model vae --hidden 16 --latent 2 --batch 16 --steps 12 --eval-every 40 --save-every 3 -q "$@"; }; k -o whole; cut -d, -f1-10 whole/log.jsonl > whole.log; for n in 70 90 100 110 120 130 140; do rm -rf dead; TG_FAULT=kill:$n k -o dead; [ $? = 137 ] && k -o dead --resume && cmp dead/state.safetensors whole/state.safetensors && cut -d, -f1-10 dead/log.jsonl | cmp - whole.log || echo $n; done; wc -l < whole.log
< 3

# The test split: asked for with the training, or of a run that has ended, whose weights stay.
$ gen-preprocess shapes -o tested.safetensors --size 12 --channels 1 --test 0.1 --sheet none -q 2> /dev/null; b() { gen-train --data tested.safetensors --model vae --hidden 16 --latent 2 --batch 16 --steps 20 --eval-every 20 --binarize dynamic "$@"; }; b -o b --test-draws 700 --threads 1 2>&1 | grep ^test
<~ ^test: [0-9]+ images, 700 draws of z each: -log p\(x\) [0-9.]+ \+- [0-9.]+ nats, -ELBO [0-9.]+$
$ b -o c -q; cp c/model.safetensors before; gen-train -o c --resume --test-draws 700 --threads 3 -q; cmp before c/model.safetensors; for r in b c; do tr ',' '\n' < $r/result.json | grep '"test_' > $r.test; done; cmp b.test c.test; wc -l < b.test
< 5
$ gen-train --data x.safetensors --model vae -o d --test-draws 5
! gen-train: --test-draws: there is no test split; gen-preprocess --test 0.1 makes one
? 1
$ gen-train --data t.safetensors --model lstm -o d --test-draws 5
! gen-train: --test-draws: lstm draws no latents: its loss is the likelihood itself, not a bound
? 1

# Another run's weights; other data are refused.
$ gen-train --data x.safetensors --model vae --init one --steps 2 -o two -q && gen-collect synth:shapes --limit 300 -o other -q && gen-preprocess other -o y.safetensors --size 10 --channels 1 -q 2> /dev/null; gen-train --data y.safetensors --model vae --init one -o three --force
!~ ^gen-train: --init: one was trained on images of \[1, 12, 12\], and y.safetensors holds images of \[1, 10, 10\]; bring them to one size with gen-preprocess --size$
? 1
$ gen-train --data y.safetensors -o one --resume --steps 20
!~ ^gen-train: one cannot go on: its dataset's content hash is .*
? 1

# Sampling: alone and among others the same; a class; numbers.
$ gen-sample a
! gen-sample: a/model.safetensors makes images: give -o x.png, or --show to see them here
? 2
$ gen-sample a --grid 4x2 -o s.png && head -c 4 s.png | tail -c 3 && echo && gen-sample a -n 9 -o all.npy && gen-sample a --first 7 -o one.npy && tail -c 1152 all.npy | head -c 576 > 7 && tail -c 576 one.npy | cmp - 7 && head -c 80 one.npy | tail -c 70
<~ PNG
<~ 'descr': '<f4', 'fortran_order': False, 'shape': \(1, 1, 12, 12\)
$ gen-sample a --grid 4x2 -o s.png
! gen-sample: s.png is there already; --force replaces it
? 1
$ gen-sample a --label blob -o b.png 2>&1 | sed 's/are: .*/are: .../'
< gen-sample: no class blob; there are: ...
$ gen-sample a --map --grid 5x5 -o map.png; gen-sample a --interpolate 0:3 -o i.png; gen-sample a --reconstruct x.safetensors -o r.png; gen-sample a --truncation 0.5 -n 4 -o t.png; echo [imrst]*.png
< i.png map.png r.png s.png t.png
$ gen-sample a --interpolate 2:5 -n 3 -o i.npy && gen-sample a --first 2 -o from.npy && tail -c 1728 i.npy | head -c 576 > first && tail -c 576 from.npy | cmp - first
$ COLUMNS=26 gen-sample a -n 2 --show | wc -l; COLORTERM=truecolor gen-sample a --show | head -c 7 | tail -c 6; echo; TERM=xterm gen-sample a --show | grep -c '38;5;'; TERM=dumb gen-sample a --show > none; TERM=xterm NO_COLOR=1 gen-sample a --show | cmp - none; grep -c "$(printf '\033')" none; wc -l < none | tr -d ' '
< 6
<~ ^\[38;2;
< 6
< 0
< 6
$ gen-sample a --map --interpolate 0:1 -o m.png
! gen-sample: --interpolate, --map and --reconstruct are three pictures; ask for one at a time
? 2
$ gen-sample a --grid 4 -o m.png
! gen-sample: --grid 4: must be columns x rows, as 8x4
? 2
$ gen-sample a -n 5 --grid 2x2 -o m.png
! gen-sample: -n 5 does not fit into --grid 2x2
? 2
$ gen-sample a --reconstruct y.safetensors -o m.png
!~ ^gen-sample: a/model.safetensors was trained on images of \[1, 12, 12\], and y.safetensors holds
? 1

# Options of one kind for the other.
$ gen-sample a --prompt x -o m.png
! gen-sample: --prompt is for text, and a/model.safetensors makes images
? 2
$ gen-sample a --temperature 1 -o m.png
! gen-sample: --temperature is for the choice of tokens, and a/model.safetensors makes images; --truncation 1 keeps to likely ones
? 2
$ gen-train --data t.safetensors --model ngram -o text -q; for o in '--grid 2x2' --map --show '--format png' '--truncation 1'; do gen-sample text $o; done
! gen-sample: --grid is for images and points, and text/model.safetensors writes text
! gen-sample: --map is for images and points, and text/model.safetensors writes text
! gen-sample: --show is for images and points, and text/model.safetensors writes text
! gen-sample: --format png is for images and points, and text/model.safetensors writes text
! gen-sample: --truncation is for images and points, and text/model.safetensors writes text
? 2

# Points.
$ gen-train --data p.safetensors --model vae --hidden 16 --steps 60 -o pts -q; gen-sample pts -n 100 -o pts.npy && head -c 90 pts.npy | grep -ao "(100, 2)"; gen-sample pts -n 200 -o pts.png && gen-sample pts --reconstruct p.safetensors -n 50 -o pr.png; tail -n 1 pts/log.jsonl | grep -o '"points[a-z_]*"' | tr '\n' ' '
<~ ^\(100, 2\)
<~ "points" "points_per_second" 

# A point is its mean and noise of its own: alone the same, on plain C the same, and between samples there is none of it.
$ gen-sample pts --first 7 -o p7.npy && tail -c 744 pts.npy | head -c 8 > 7 && tail -c 8 p7.npy | cmp - 7 && TG_ISA=scalar gen-sample pts -n 100 -o scalar.npy && cmp pts.npy scalar.npy && gen-sample pts --interpolate 7:9 -o between.npy && tail -c 80 between.npy | head -c 8 | cmp -s - 7 || echo elsewhere
< elsewhere
