#!/bin/sh
# run.sh PART... - runs parts of the tests and ends with the sum of all: "N passed, N failed, N skipped". Parts: unit, cli,
# layers, names, size, lint (the lints' own tests), e2e (all of tests/e2e/*.sh), e2e/NAME. T=WORD runs those that
# contain it.
#
# An end-to-end script runs in the source folder with the programs first in PATH, TG_BIN, TINYGEN_SRC, TG_TEST_TMP, CC,
# BUILD, PYTHON in its environment, prints "ok NAME", "not ok NAME: why" or "skip NAME: why" a line, and cleans up. One
# that prints no such line counts as one test, by its exit status. So does a part that ends badly without saying why.
cd "$(dirname "$0")/.." || exit 2
unset MAKEFLAGS MFLAGS MAKELEVEL GNUMAKEFLAGS CDPATH
: "${BUILD:=build}" "${CC:=cc}" "${PYTHON:=python3}" "${T:=}"
TINYGEN_SRC=$(pwd)
mkdir -p "$BUILD/bin" "$BUILD/tmp"
TG_BIN=$(cd "$BUILD/bin" && pwd)
TG_TEST_TMP=$(cd "$BUILD/tmp" && pwd)
PATH=$TG_BIN:$PATH
export BUILD CC PYTHON TINYGEN_SRC TG_BIN TG_TEST_TMP PATH
work=$(mktemp -d "$TG_TEST_TMP/run-XXXXXX") || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
passed=0 failed=0 skipped=0

add()
{
    passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
}

# logged COMMAND...: its output on ours and in $work/log, its status in $status.
logged()
{
    { "$@" 2>&1; echo $? > "$work/status"; } | tee "$work/log"
    status=$(cat "$work/status")
}

# counts FORMAT: the three numbers of the log, "" if it has none.
counts()
{
    if [ "$1" = sum ]; then
        sed -n '$s/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' "$work/log"
    else
        awk '/^ok /{ p++ } /^not ok /{ f++ } /^skip /{ s++ } END { if (p + f + s) print p + 0, f + 0, s + 0 }' "$work/log"
    fi
}

# take NAME NUMBERS: adds a part's numbers; a bad end that none of them tells of is a failure of its own.
take()
{
    # shellcheck disable=SC2086
    set -- "$1" $2
    if [ $# -eq 4 ]; then
        add "$2" "$3" "$4"
        [ "$status" -eq 0 ] || [ "$3" -gt 0 ] || { add 0 1 0; echo "not ok $1: exit status $status"; }
    elif [ "$status" -eq 0 ] && [ "$expects" = lines ]; then
        add 1 0 0; echo "ok $1"
    else
        add 0 1 0; echo "not ok $1: exit status $status and no result"
    fi
}

# runner PROGRAM: one that speaks test.c's language
runner()
{
    expects=sum
    # shellcheck disable=SC2086
    logged "$TG_BIN/$1" ${T:+"$T"}
    take "$1" "$(counts sum)"
}

script()
{
    name=$1; shift
    expects=lines
    logged "$@"
    take "$name" "$(counts lines)"
}

# T=WORD: is this name meant?
wanted()
{
    case $1 in *"$T"*) return 0 ;; esac
    return 1
}

limited()
{
    if command -v timeout > /dev/null; then timeout -k 5 "$@"; else shift; "$@"; fi
}

strays()
{
    git status --porcelain --untracked-files=all 2>/dev/null
}
before=$(strays)

for part in "$@"; do
    case $part in layers | names | size | lint) wanted "$part" || continue ;; esac
    echo "== $part"
    case $part in
    unit | cli) runner "$part" ;;
    layers) script layers sh tests/lint/layers.sh . ;;
    names) script names sh tests/lint/names.sh "$BUILD/libtinygen.a" . ;;
    size) script size sh -c 'sh tests/lint/size.sh . > /dev/null' ;; # its table: make size
    lint) script lint sh tests/lint/selftest.sh ;;
    e2e)
        for file in tests/e2e/*.sh; do
            [ -f "$file" ] && wanted "$(basename "$file")" || continue
            echo "== $file"
            script "$(basename "$file" .sh)" limited 1200 sh "$file"
        done
        ;;
    e2e/*)
        script "${part#e2e/}" limited 3600 sh "tests/$part.sh"
        ;;
    *)
        echo "not ok $part: no such part of the tests"
        add 0 1 0
        ;;
    esac
done

# All that is generated lives under build/. Judged only where the tree was clean before.
if [ -z "$before" ] && git rev-parse --is-inside-work-tree > /dev/null 2>&1; then
    after=$(strays)
    if [ -n "$after" ]; then
        printf 'not ok strays: the tests changed the source tree\n%s\n' "$after"
        add 0 1 0
    else
        echo "ok strays"
        add 1 0 0
    fi
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
