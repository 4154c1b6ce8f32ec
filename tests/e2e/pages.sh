#!/bin/sh
# pages.sh - quizzes and reports in headless Chromium: how they look, and that what people answer comes back and is summed up
# right. Skipped where there is no Chromium or no Python. TG_TEST_SHOTS=DIR keeps screenshots.
for browser in "${CHROMIUM:-chromium}" chromium-browser google-chrome; do
    command -v "$browser" > /dev/null && break
    browser=
done
[ -n "$browser" ] || { echo "skip pages: no chromium (CHROMIUM)"; exit 0; }
command -v "$PYTHON" > /dev/null || { echo "skip pages: no python3 (PYTHON)"; exit 0; }
work=$(mktemp -d "$TG_TEST_TMP/pages-XXXXXX") || exit 2
trap 'rm -rf "$work"' EXIT

TG_TEST_PAGES=$work "$TG_BIN/unit" pages_of_reports_and_quizzes pages_of_studies > "$work/log" || { cat "$work/log"; exit 1; }
# A report of each model, made by gen-evaluate: words, pictures and points; two side by side, in Chinese; a real search.
(
    cd "$work" || exit 1
    gen-collect synth:verses --max-bytes 30k -o verses && gen-preprocess verses -o t.safetensors
    gen-collect synth:shapes --limit 300 -o shapes && gen-preprocess shapes -o x.safetensors --size 12
    gen-collect synth:points:moons -o moons && gen-preprocess moons -o p.safetensors
    for model in lstm gru rnn; do gen-train --data t.safetensors --model $model --hidden 24 --steps 120 -o $model; done
    gen-train --data t.safetensors --model transformer --layers 1 --heads 2 --dim 24 --context 32 --steps 80 -o transformer
    gen-train --data t.safetensors --model ngram -o ngram
    gen-train --data x.safetensors --model vae --hidden 24 --steps 120 -o vae
    gen-train --data x.safetensors --model gan --channels 4 --steps 60 -o gan
    gen-train --data p.safetensors --model gan --hidden 16 --steps 60 -o points
    for model in lstm gru rnn transformer ngram; do gen-evaluate $model -n 12 -l 300 -o "report-$model.html"; done
    for model in vae gan points; do gen-evaluate $model -n 100 --draws 5 -o "report-$model.html"; done
    gen-evaluate lstm ngram -n 12 -l 300 --lang zh -o report-two-zh.html
    gen-tune search --data t.safetensors --space model=lstm,rnn --space hidden=8,16 --space lr=1e-3:1e3:log --steps 20 --trials 9 --lang zh -o tune
    cp tune/study.html study-of-texts-zh.html
    gen-evaluate vae -n 20 --draws 0 --metrics precision --quiz quiz-of-vae.html
) > "$work/log" 2>&1
"$PYTHON" tests/support/browser.py "$browser" "$work"
if TG_TEST_ANSWERS=$work/answers "$TG_BIN/unit" answers_about_texts > "$work/log"; then echo "ok browser_answers_come_to_what_python_says"
else echo "not ok browser_answers_come_to_what_python_says: $(grep : "$work/log" | head -n 2 | tr '\n' ' ')"; fi
