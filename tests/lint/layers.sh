#!/bin/sh
# layers.sh [ROOT] - every #include against tests/lint/layers.txt, and: files are written in src/base only, so that all
# of them go through its one careful writer. Prints what breaks the law; status 1 if anything does.
here=$(cd "$(dirname "$0")" && pwd)
cd "${1:-.}" || exit 2
list=$(mktemp) || exit 2
trap 'rm -f "$list"' EXIT
bad=0

find include src tools tests -type f 2>/dev/null | grep -v '^tests/data/' | sort | sed 's/^/=/' > "$list"
code=$(sed -n 's/^=//; /\.[ch]$/p; /\.inc$/p; /\.def$/p' "$list")
# shellcheck disable=SC2086
awk -f "$here/layers.awk" "$here/layers.txt" "$list" $code || bad=1

# Comments are taken off first; a string that names a flag is no call and does not occur.
elsewhere=$(printf '%s\n' "$code" | grep -E '^(src|tools)/' | grep -v '^src/base/')
for f in $elsewhere; do
    sed -e 's|/\*.*\*/||g' -e 's|/\*.*||' -e 's|^ \*.*||' "$f" | awk -v f="$f" '
        /(^|[^A-Za-z_])(O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND)([^A-Za-z_]|$)/ ||
        /(^|[^A-Za-z_])(creat|freopen|fdopen|mkstemp|tmpfile|truncate|ftruncate)[ \t]*\(/ ||
        /(^|[^A-Za-z_])fopen[ \t]*\([^;]*"(w|a|r\+|rb\+)/ {
            print f ":" NR ": only src/base may write files"; bad = 1
        }
        END { exit bad }' || bad=1
done
exit $bad
