#!/bin/sh
# names.sh ARCHIVE [ROOT] - what the library defines and what it calls: every global symbol begins with tg_; nothing
# exits, prints to a standard stream, or uses one of libc's traps; memory comes from base/alloc.c alone. With ROOT its
# sources are searched too, for the traps that an optimiser turns into something else. Status 1 if not so.
archive=${1:?usage: names.sh ARCHIVE [ROOT]}
bad=0
table=$(mktemp) || exit 2
trap 'rm -f "$table"' EXIT
"${NM:-nm}" -A -g "$archive" > "$table" 2>/dev/null
[ -s "$table" ] || { echo "$archive: no symbols: no archive?"; exit 1; }

awk '
BEGIN {
    n = split("exit _exit _Exit quick_exit abort atexit __assert_fail raise", list, " ")
    for (i = 1; i <= n; i++) why[list[i]] = "the library never ends the program"
    n = split("printf vprintf puts putchar perror stdout stderr stdin psignal", list, " ")
    for (i = 1; i <= n; i++) why[list[i]] = "the library never prints; there is a log hook"
    n = split("rand srand random srandom drand48 lrand48 rand_r", list, " ")
    for (i = 1; i <= n; i++) why[list[i]] = "random numbers come from base/rng.h"
    n = split("atoi atol atoll atof strtod strtof strtold scanf sscanf", list, " ")
    for (i = 1; i <= n; i++) why[list[i]] = "numbers are read by base/str.h, which checks and knows no locale"
    n = split("strcpy stpcpy strcat strncpy strncat sprintf vsprintf gets strtok", list, " ")
    for (i = 1; i <= n; i++) why[list[i]] = "overflows or truncates; see base/str.h"
    n = split("qsort qsort_r bsearch", list, " ")
    for (i = 1; i <= n; i++) why[list[i]] = "order differs between libraries; see base/sort.h"
    n = split("setlocale uselocale newlocale", list, " ")
    for (i = 1; i <= n; i++) why[list[i]] = "a locale would change bytes"
    n = split("system popen wordexp", list, " ")
    for (i = 1; i <= n; i++) why[list[i]] = "a shell would read foreign text; see base/proc.h"
    n = split("malloc calloc realloc reallocarray free aligned_alloc posix_memalign memalign strdup strndup asprintf " \
              "vasprintf getline getdelim open_memstream", list, " ")
    for (i = 1; i <= n; i++) { why[list[i]] = "memory comes from base/alloc.h"; memory[list[i]] = 1 }
    granted["_exit", "proc.o"]       # a child whose exec failed
    granted["_exit", "process.o"]    # the second Ctrl-C, which ends a program at once
    granted["raise", "fault.o"]      # the fault switch: killed at a chosen call
}
{
    member = $1; sub(/:[0-9a-fA-F]*$/, "", member); sub(/^.*:/, "", member)
    name = $NF; kind = $(NF - 1)
    sub(/@.*/, "", name)
    if (kind ~ /^[UwvC]$/ && kind != "C") {
        plain = name
        if (name ~ /^__.*_chk$/) { sub(/^__/, "", plain); sub(/_chk$/, "", plain) }
        sub(/^__isoc[0-9]+_/, "", plain)
        if (!(plain in why)) next
        if (plain in memory && member == "alloc.o") next
        if ((plain, member) in granted) next
        print member ": calls " plain ": " why[plain]; bad = 1
    } else if (name !~ /^tg_/ && name !~ /^__/) {          # __: what sanitizers and coverage add
        print member ": defines " name ": a global name begins with tg_"; bad = 1
    }
}
END { exit bad }' "$table" || bad=1

if [ -n "${2-}" ]; then
    for f in $(find "$2/src" -type f \( -name '*.[ch]' -o -name '*.inc' \) | sort); do
        sed -e 's|"[^"]*"||g' -e 's|/\*.*\*/||g' -e 's|/\*.*||' -e 's|^ \*.*||' "$f" | awk -v f="${f#./}" '
            match($0, /(^|[^A-Za-z0-9_.>])(strcpy|stpcpy|strcat|strncpy|strncat|sprintf|vsprintf|printf|puts|atoi|atof|strtok)[ \t]*\(/) {
                name = substr($0, RSTART, RLENGTH); gsub(/[^a-z]/, "", name)
                print f ":" NR ": calls " name; bad = 1
            }
            END { exit bad }' || bad=1
    done
fi
exit $bad
