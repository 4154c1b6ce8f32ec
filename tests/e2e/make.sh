#!/bin/sh
# make.sh - what the Makefile promises about jobs: `make demo` builds with several where none were asked for, and with those that were.
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
