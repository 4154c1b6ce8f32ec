#!/bin/sh
# make.sh - what the Makefile promises about jobs: `make demo` builds with several where none were asked for, and with those that were;
# and about CFLAGS: what would change results is refused.
make=${MAKE:-make}
none=$TG_TEST_TMP/no-such-build
# jobs OPTION...: the -j that the demo's build is given of its own accord; "first": all is made in front, with the jobs of the call.
jobs()
{
    "$make" -n "$@" demo BUILD="$none" 2>/dev/null | awk '
        /--no-print-directory .*all$/ { for (i = 1; i <= NF; i++) if ($i ~ /^-j/) own = $i }
        /bin\/gen-sample/ { built = 1 }
        /demo\.sh/ { print own ? own : built ? "first" : "nothing is built"; exit }'
}
# expect NAME WANTED OPTION...
expect()
{
    name=make_$1 wanted=$2; shift 2
    got=$(jobs "$@")
    # shellcheck disable=SC2254
    case $got in $wanted) echo "ok $name" ;; *) echo "not ok $name: $got, not $wanted" ;; esac
}
expect demo_takes_its_own_jobs '-j[1-9]*'
expect demo_with_one_job_has_one first -j1
expect demo_joins_the_jobs_it_is_given first -k -j3
MAKEFLAGS=-j2
export MAKEFLAGS
expect demo_heeds_makeflags first

# flags NAME STATUS OPTION...: whether make takes them
flags()
{
    name=make_$1 wanted=$2; shift 2
    said=$("$make" -n help "$@" 2>&1)
    got=$?
    case $wanted$got in
    00) echo "ok $name" ;;
    20) echo "not ok $name: taken" ;;
    2*) case $said in *'take -O3'*) echo "ok $name" ;; *) echo "not ok $name: $said" ;; esac ;;
    *) echo "not ok $name: $said" ;;
    esac
}
flags takes_flags_that_change_no_result 0 CFLAGS='-O3 -march=native -funroll-loops' LDFLAGS=-s
flags refuses_ofast 2 CFLAGS='-g -Ofast'
flags refuses_fast_math_at_linking 2 LDFLAGS=-ffast-math
flags refuses_reordered_sums_in_cc 2 CC='gcc -fassociative-math'

# a compiler whose floats are wider than they should be
wide="${CC:-cc} -std=c11 -mfpmath=387"
if printf '#include <float.h>\n#if FLT_EVAL_METHOD != 2\n#error\n#endif\n' | $wide -fsyntax-only -xc - 2> /dev/null; then
    if $wide -Iinclude -Isrc -fsyntax-only src/base/fmath.c 2>&1 | grep -q 'take -msse2'; then echo "ok make_refuses_wide_floats"
    else echo "not ok make_refuses_wide_floats: taken"; fi
else
    echo "skip make_refuses_wide_floats: no such floats here"
fi
