#!/bin/sh
# size.sh [ROOT] - how long files and functions are, and how much of them is comment. Fails only beyond what no taste
# excuses: a file of more than 700 lines, a function of more than 80 whose head comment gives no reason ("long: ...").
cd "${1:-.}" || exit 2
list=$(mktemp) || exit 2
trap 'rm -f "$list" "$list.files"' EXIT
sources=$(find src tools -type f \( -name '*.[ch]' -o -name '*.inc' \) 2>/dev/null | sort)
headers=$(find include -type f -name '*.h' 2>/dev/null | sort)
[ -n "$sources" ] || { echo "no sources here"; exit 0; }

# Functions open with a brace in column 1: "lines file:line reason" each.
# shellcheck disable=SC2086
awk 'FNR == 1 { start = 0; why = "-" }
     !start && /long:/ { why = "reasoned" }
     /^{/ { start = FNR }
     /^}/ { if (start) print FNR - start + 1, FILENAME ":" start, why; start = 0; why = "-" }' $sources | sort -n > "$list"
# shellcheck disable=SC2086
wc -l $sources | awk '$2 != "total" { print $1, $2 }' | sort -n > "$list.files"

summary()
{
    awk -v what="$2" -v limit="$3" '
        function at(share,    i) { i = int(NR * share) + 1; return n[i > NR ? NR : i] }
        { n[NR] = $1; over += $1 > limit }
        END { if (NR) printf "%s: %d, median %d lines, 90th percentile %d, longest %d, %.1f %% over %d\n", what, NR, at(.5),
                  at(.9), n[NR], 100 * over / NR, limit }' "$1"
}
summary "$list" functions 60
tail -n 10 "$list" | awk '{ printf "  %4d %s%s\n", $1, $2, $3 == "-" ? "" : " (" $3 ")" }'
summary "$list.files" files 600
tail -n 10 "$list.files" | awk '{ printf "  %4d %s\n", $1, $2 }'

share()
{
    what=$1; shift
    [ $# -eq 0 ] || awk -v what="$what" '
        { lines++ } /\/\*/ { comment = 1 } comment { k++ } /\*\// { comment = 0 }
        END { printf "comments in %s: %.0f %% of %d lines\n", what, 100 * k / lines, lines }' "$@"
}
# shellcheck disable=SC2086
share include $headers
# shellcheck disable=SC2086
share "src and tools" $sources

awk '$1 > 700 { print $2 ": a file of " $1 " lines; 700 is the limit: split it"; bad = 1 } END { exit bad }' "$list.files" >&2
files=$?
awk '$1 > 80 && $3 == "-" { print $2 ": a function of " $1 " lines; split it, or say \"long: why\" at its head"; bad = 1 }
     END { exit bad }' "$list" >&2 && [ $files -eq 0 ]
