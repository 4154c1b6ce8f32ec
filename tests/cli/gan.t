# gen-train and gen-sample of a GAN: two sides in turns
$ gen-collect synth:shapes --limit 400 -o shapes -q; gen-preprocess shapes -o x.safetensors --size 12 --channels 1 -q 2> /dev/null; gen-collect synth:points:moons -o moons -q; gen-preprocess moons -o p.safetensors -q 2> /dev/null; ls *.safetensors
< p.safetensors
< x.safetensors

# What it does not do.
$ gen-train --data p.safetensors --model gan --arch dcgan -o a
! gen-train: points are no images: they take --arch mlp
? 2
$ gen-train --data x.safetensors --model gan --loss wgan-gp --r1 1 -o a
! gen-train: --r1 and --loss wgan-gp are two gradient penalties; take one of them
? 2
$ for o in '--accum 2' '--patience 3' '--target 2' '--on-nan rewind' '--lr 0 --lr-d 1e-3' '--test-draws 5'; do gen-train --data x.safetensors --model gan $o -o a; done; ls a 2> /dev/null
! gen-train: --accum is of no use to a gan, which trains in turns; give a larger --batch
! gen-train: --patience is of no use to a gan, which has no validation loss
! gen-train: --target is of no use to a gan, which has no validation loss
! gen-train: --on-nan rewind goes back to the best weights on validation, and there is no validation loss
! gen-train: --lr 0 holds all of a gan still: the rates of its sides are shares of it; for one side give a tiny one
! gen-train: --test-draws: a gan has no likelihood, nor a bound of one; gen-evaluate compares its samples
? 2

# Training: what is told, the log, the result; there is no validation loss.
$ gen-train --data x.safetensors --model gan --channels 6 --latent 5 --batch 16 --steps 40 --eval-every 20 -o a
!~ ^gan of [0-9,]+ parameters on 360 training images, seed 1$
!~ ^chosen by the data's size: arch dcgan, .*lr 5e-4, beta1 0\.5, ema 0\.999, clip 0, schedule wsd
!~ ^images of \[1, 12, 12\] in an order that the seed draws anew each epoch; [0-9]+ classes are learned apart \(--no-labels: as one\)$
!*
!~ ^step 40/40  epoch 1\.8  d_loss [0-9.]+  g_loss -?[0-9.]+  d_real [0-9.]+  d_fake [0-9.]+  diversity [0-9.]+ .*images/s$
$ ls a a/samples | tr '\n' ' '; echo; tail -n 1 a/log.jsonl | sed 's/": [^,}]*/"/g'; tr ',' '\n' < a/result.json | grep -c '"val_loss": null\|"d_loss": [0-9]\|"g_loss": \|"d_real"\|"d_fake"'
< a: config.json log.jsonl model.safetensors result.json samples state.safetensors  a/samples: 000020.png 000040.png 
< {"step", "epoch", "images", "train_loss", "val_loss", "bits_per_dim", "d_loss", "g_loss", "d_real", "d_fake", "diversity", "lr", "grad_norm", "images_per_second", "seconds", "peak_memory"}
< 5
$ gen-train --data x.safetensors --model gan --loss wgan-gp --critic 3 --channels 4 --batch 8 --epochs 1 -o w -q --json | tr ',' '\n' | grep '"steps":\|epochs\|d_real'
<  "steps": 15
<  "epochs": 1

# A rate that nothing stands up to: neither side is left with what is no number.
$ gen-train --data x.safetensors --model gan --arch mlp --hidden 8 --lr 1e30 --batch 8 --steps 40 -o bad
!*
!~ ^gen-train: step [0-9]+: the (loss|gradient of [a-z0-9.]+) is not (a finite number|finite); try a lower --lr or --clip, or --on-nan skip$
? 1

# The same bytes for any number of threads, on plain C, and stopped and resumed; pictures and the log, too, but for times.
$ t() { gen-train --data x.safetensors --model gan --channels 4 --latent 6 --batch 12 --steps 12 --eval-every 4 -q "$@"; }; t -o one --threads 1 && t -o three --threads 3 && TG_ISA=scalar t -o scalar && t -o parts --until 5 && t -o parts --resume --until 9 && t -o parts --resume --until 0; for r in three scalar parts; do for f in model state; do cmp one/$f.safetensors $r/$f.safetensors; done; cmp one/samples/000012.png $r/samples/000012.png; done; for r in one parts; do tail -n 1 $r/log.jsonl | cut -d, -f1-13 > $r.log; done; cmp one.log parts.log
$ k() { gen-train --data x.safetensors --model gan --arch mlp --hidden 6 --latent 2 --r1 1 --batch 16 --steps 12 --eval-every 40 --save-every 3 -q "$@"; }; k -o whole; for n in 70 90 100 110 120 130 140; do rm -rf dead; TG_FAULT=kill:$n k -o dead; [ $? = 137 ] && k -o dead --resume && cmp dead/state.safetensors whole/state.safetensors || echo $n; done

# What it would take: no copy of weights that validate best, for there is no validation; and a batch of real and generated images, twice.
$ gen-preprocess shapes -o y.safetensors --size 12 --channels 1 --val 0 -q 2> /dev/null; bytes() { gen-train --model gan --channels 6 --latent 5 --dry-run --json "$@" | tr -d ' ' | tr ',' '\n' | awk -F: '$1 == "\"bytes\"" { all = $2 } $1 == "\"activation_bytes\"" { print all - $2 }'; }; [ $(bytes --data x.safetensors --batch 16) = $(bytes --data y.safetensors --batch 16) ] && echo $(($(bytes --data x.safetensors --batch 32) - $(bytes --data x.safetensors --batch 16))) bytes of $((16 * 4 * 12 * 12 * 4))
< 36864 bytes of 36864

# Points: the picture shows what the discriminator thinks of the plane, too: not white alone beside the points.
$ gen-train --data p.safetensors --model gan --hidden 16 --batch 64 --steps 20 --sample-every 20 -o p -q && ls p/samples && gen-sample p -n 1000 -o points.npy && head -c 80 points.npy | tail -c 70
< 000020.png
<~ 'shape': \(1000, 2\)

# Weights of a model of images are no start for points.
$ gen-train --data p.safetensors --model gan --init a -o q
! gen-train: --init: a was trained on images, and p.safetensors holds points
? 1

# Sampling: a class, a way between two, no way back from an image.
$ gen-sample a --label ring --grid 3x2 -o ring.png && gen-sample a --interpolate 1:5 -o way.png && gen-sample a -n 9 -o all.npy && gen-sample a --first 7 -o one.npy && tail -c 1152 all.npy | head -c 576 > 7 && tail -c 576 one.npy | cmp - 7
$ gen-sample a --label all -n 3 -o every.npy && head -c 80 every.npy | tail -c 70 && echo && gen-sample a --label ring -n 3 -o ring.npy && gen-sample a --label all --grid 3x5 -o all.png -q --json | tr '{' '\n' | grep -c '"label": "ring"' && cat every.npy | od -An -v -tx1 | tr -d ' \n' > all.hex && tail -c 1728 ring.npy | od -An -v -tx1 | tr -d ' \n' > ring.hex && grep -cF "$(cat ring.hex)" all.hex
<~ 'shape': \(15, 1, 12, 12\)
< 3
< 1
$ gen-sample a --label all --grid 3x4 -o no.png; gen-sample a --label all --interpolate 1:2 -o no.png; gen-sample a --label no -o no.png
! gen-sample: --label all: a row a class, so --grid 3x5
! gen-sample: --label all draws samples of each class; name one class for --interpolate, --map and --reconstruct
!~ ^gen-sample: no class no; there are: .*, and all$
? 2
$ gen-sample a --reconstruct x.safetensors -o back.png
! gen-sample: a/model.safetensors is a gan, which has no way from an image to its latent
? 2

# Each class of points is drawn, however many there are: samples lie close together beside the ninth class, whose points are far apart.
$ awk 'BEGIN { print "x,y,kind"; for (i = 0; i < 450; i++) print (i % 9 == 8 ? 1000 : 0.001) * (i * 7 % 43) "," (i % 9 == 8 ? 1000 : 0.001) * (i * 5 % 47) "," i % 9 }' > nine.csv; gen-collect nine.csv -o nine -q; gen-preprocess nine -o nine.safetensors --label-column last -q 2> /dev/null
$ gen-train --data nine.safetensors --model gan --hidden 8 --batch 16 --steps 1 -o nine.run 2>&1 | grep -o '[0-9]* classes are learned apart\|diversity [0-9.]*'
< 9 classes are learned apart
< diversity 0.00

# How various samples are is told beside as many training examples: beside 14 it is a share of theirs, beside two nothing is told.
$ for n in 14 2; do gen-collect synth:shapes --limit $n -o few.$n -q; gen-preprocess few.$n -o $n.safetensors --size 8 --channels 1 --val 0 --no-labels -q 2> /dev/null; gen-train --data $n.safetensors --model gan --channels 6 --batch 14 --lr 2e-3 --ema 0 --steps 300 --eval-every 300 -o of.$n 2>&1 | grep -o 'd_fake.*images/s'; tail -n 1 of.$n/log.jsonl | grep -o '"diversity": n*'; done
<~ ^d_fake [0-9.]+  diversity [01]\.[0-9]+  [0-9,]+ images/s$
< "diversity": 
<~ ^d_fake [0-9.]+  [0-9,]+ images/s$
< "diversity": n

# A generator that does not move makes what is nearly all alike, for long enough to be told.
$ gen-train --data 14.safetensors --model gan --arch mlp --hidden 2 --latent 2 --batch 4 --lr 1e-9 --steps 1000 --eval-every 500 -o still 2>&1 | grep -o 'warning: .*'
<~ ^warning: step 1000: what is generated is nearly all alike \(diversity [0-9]+ % of the data's\): the generator has collapsed\. Try a lower --lr, or --r1 1$
