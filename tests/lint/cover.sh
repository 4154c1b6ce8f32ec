#!/bin/sh
# cover.sh FOLDER - sums up what gcov finds below a build folder: lines and branches per file of src/ and tools/. Code
# that is compiled more than once (kernels, inline functions) counts with its best copy.
folder=${1:?usage: cover.sh FOLDER}
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
root=$(pwd)
folder=$(cd "$folder" && pwd) || exit 2
cd "$work" || exit 2
find "$folder" -name '*.gcda' | while read -r data; do
    (cd "$root" && "${GCOV:-gcov}" -n -b "$data" 2>/dev/null)
done | awk '
    function percent(part, all) { return all ? 100 * part / all : 100 }
    /^File / { f = $2; gsub(/\x27/, "", f); if (f !~ /^(src|tools)\//) f = ""; got = 0 }
    f == "" { next }
    /^Lines executed:/ { split($2, a, /[:%]/); n = $NF; hit = a[2] * n / 100
        if (!(f in lines) || hit > line_hit[f]) { lines[f] = n; line_hit[f] = hit } }
    /^Taken at least once:/ { split($4, a, /[:%]/); n = $NF; hit = a[2] * n / 100
        if (!(f in branches) || hit > branch_hit[f]) { branches[f] = n; branch_hit[f] = hit } }
    END {
        for (f in lines) {
            printf "%6.1f %% of %5d lines  %6.1f %% of %5d branches  %s\n", percent(line_hit[f], lines[f]), lines[f],
                percent(branch_hit[f], branches[f]), branches[f], f | "sort -k 11"
            l += lines[f]; lh += line_hit[f]; b += branches[f]; bh += branch_hit[f]
        }
        close("sort -k 11")
        printf "%6.1f %% of %5d lines  %6.1f %% of %5d branches  in all\n", percent(lh, l), l, percent(bh, b), b
    }'
