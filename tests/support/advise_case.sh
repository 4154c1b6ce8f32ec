# advise_case.sh NAME DATA options: trains a run, takes advice on it and tells the verdict; then trains on twice the data as the advice
# says, and tells whether the loss is what was predicted. The run must be held to half of its data at most.
n=$1 data=$2
shift 2
gen-train --data "$data" --model lstm --layers 1 --batch 8 -o "$n" -q --threads 1 "$@"
gen-tune advise "$n" -o "$n.advice" --effort 4 -q --threads 1 > "$n.txt" || exit
grep -o '"verdict": "[a-z]*", "advice": [a-z "]*' "$n.advice/advice.json"
of() { sed 's/.*"what": "twice the data"'"$1"'.*/\1/' "$n.advice/advice.json"; }
said=$(of ', "val_loss": \([0-9.]*\)')
command=$(of '.*"command": "\([^"]*\)"')
sh -c "${command%.advice/applied}.double -q --threads 1"
got=$(sed 's/.*"val_loss": \([0-9.]*\).*/\1/' "$n.double/result.json")
awk -v said="$said" -v got="$got" 'BEGIN { off = said / got - 1; print (off < 0.03 && off > -0.03 ? "within 3 %" : said " " got) }'
