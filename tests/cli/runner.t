# The runner itself: every form that a .t file may have, and that a misfit is seen.

# Nothing expected, nothing printed, exit status 0.
$ true

$ echo hello
< hello

$ false
? 1

$ sh -c 'exit 3'
? 3

# An empty line, and a last line without its newline.
$ printf 'one\n\nthree'
< one
<
< three

# Expressions are searched for; anchors make them match the whole line.
$ echo 'step 120 loss 1.234'
<~ loss [0-9]+\.[0-9]+$

# Any number of lines, also none, also in the middle.
$ printf '%s\n' a b c d
< a
<*
< d
<*

# Standard error is ignored unless a line is expected there.
$ echo noise >&2
$ echo 'gen: no such file' >&2; echo result
< result
! gen: no such file
$ printf '%s\n' warning 'gen: broken at byte 12' hint >&2
!*
!~ byte [0-9]+
!*

# Further lines of a command.
$ cat <<END
> two
>   lines
> END
< two
<   lines

# One folder for all commands of a file, empty at first, and the home.
$ ls
$ echo kept > note
$ cat note
< kept
$ test "$(pwd -P)" = "$(cd && pwd -P)"
$ test -f "$TINYGEN_SRC/tests/cli/runner.t"

# Standard input is empty.
$ cat

# A file is a test: what must fail does, and says where.
skip unless command -v cli
$ mkdir -p tree/tests/cli
$ printf '%s\n' '$ printf "a\nb\nc\n"' '< a' '< x' '< c' > tree/tests/cli/differs.t
$ printf '%s\n' '$ true' '? 2' > tree/tests/cli/status.t
$ printf '%s\n' '$ echo unexpected' > tree/tests/cli/surplus.t
$ printf '%s\n' '$ echo a >&2' '! b' > tree/tests/cli/error.t
$ printf '%s\n' '$ true' 'nonsense' > tree/tests/cli/syntax.t
$ printf '%s\n' 'skip unless false' '$ false' > tree/tests/cli/skipped.t
$ printf '%s\n' '$ kill -9 $$' '? 137' > tree/tests/cli/killed.t
$ cd tree && TINYGEN_SRC=. TG_TEST_TMP=tmp cli -j1 > ../report
? 1
$ grep -c '^not ok' report
< 5
$ tail -n 1 report
< 1 passed, 5 failed, 1 skipped
$ sed -n '/^not ok differs/,/^not ok/p' report
<~ ^not ok differs.t
<*
<~ tests/cli/differs.t:1: \$ printf
<~ ^ +standard output differs \(- expected, \+ got\):$
<*
$ sed -n '/^not ok differs/,/^not ok/s/^ *\([-+] .\)$/\1/p' report
< - x
< + b
$ grep -F 'exit status 0, expected 2' report
<       exit status 0, expected 2
$ grep -F 'tests/cli/syntax.t:2: ' report
<*
