#!/bin/sh
# selftest.sh - the lints must be seen to fail: small trees that break the law, and the complaints that must come.
# Prints "ok NAME" or "not ok NAME: why" a line.
lint=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 2
mkdir -p include/tinygen src/base src/kernels/multi src/kernels/simd src/models src/run tools tests

# expect NAME STATUS COMMAND: runs it; its output and status are judged by the lines that follow.
expect()
{
    name=$1 want=$2; shift 2
    "$@" > out 2>&1
    got=$?
    why=
    [ $got -eq "$want" ] || why="exit status $got, not $want"
}
says() { grep -qF -- "$1" out || why="${why:+$why; }did not say '$1'"; }
silent() { [ ! -s out ] || why="${why:+$why; }said '$(head -n 1 out)'"; }
judge() { if [ -z "$why" ]; then echo "ok $name"; else echo "not ok $name: $why"; sed 's/^/    /' out; fi; }

# ---- a tree that keeps the law
echo '#include <stddef.h>' > include/tinygen/base.h
echo '#include "tinygen/base.h"' > include/tinygen/model.h
printf '#include "tinygen/base.h"\n#include "tinygen/model.h"\n' > include/tinygen.h
printf '#include <unistd.h>\n#include "tinygen/base.h"\nint fd = O_CREAT;\n' > src/base/file.c
touch src/base/file.h src/base/fmath.inc src/kernels/kernels.h src/kernels/simd/v16.h tools/cli.h tests/test.h
printf '#include "kernels/kernels.h"\n#include "kernels/simd/v16.h"\n#include <math.h>\n' > src/kernels/multi/norm.c
printf '#include "base/file.h"\n/* O_CREAT is for base */\n#include <stdio.h>\nx = fopen(p, "rb");\n' > src/models/vae.c
printf '#include "cli.h"\n#include "tinygen.h"\n#include "tinygen/model.h"\n' > tools/gen-train.c
printf '#include "test.h"\n#include "base/file.h"\n#include <fcntl.h>\nO_CREAT\n' > tests/a.c
expect layers_accepts_a_lawful_tree 0 sh "$lint/layers.sh" .
silent; judge

# ---- and one breach after the other
breach()
{
    mkdir -p "$(dirname "$3")"
    printf '%b' "$2" > "$3"
    expect "layers_$1" 1 sh "$lint/layers.sh" .
    says "$4"; judge
    rm "$3"
}
breach sees_a_model_call_a_kernel '\n\n  # include "kernels/kernels.h"\n' src/models/b.c \
    'src/models/b.c:3: models may not include kernels/'
breach sees_an_upward_include '#include "tinygen/model.h"\n' src/base/b.c 'src/base/b.c:1: base may not include tinygen/model.h'
breach sees_posix_outside_base '#include <unistd.h>\n' src/run/b.c 'src/run/b.c:1: run may not include <unistd.h>'
breach sees_a_private_header_in_a_tool '#include "base/file.h"\n' tools/b.c 'tools/b.c:1: tools may not include base/'
breach sees_cli_h_outside_tools '#include "../../tools/cli.h"\n' src/run/b.c 'src/run/b.c:1:'
breach sees_base_in_a_kernel '#include "base/file.h"\n' src/kernels/multi/b.c 'kernels/multi may not include base/'
breach sees_stdlib_in_a_kernel '#include <stdlib.h>\n' src/kernels/multi/b.c 'kernels/multi may not include <stdlib.h>'
breach sees_a_private_header_in_a_public_one '#include "base/file.h"\n' include/tinygen/nn.h \
    'include/tinygen/nn.h:1: a public header may not include base/file.h'
breach sees_an_include_of_nothing '#include "base/none.h"\n' src/run/b.c 'src/run/b.c:1: "base/none.h" is not a file'
breach sees_an_include_by_macro '#define X "base/file.h"\n#include X\n' src/run/b.c 'src/run/b.c:2: an #include names its file'
breach sees_a_room_without_law '#include <stddef.h>\n' src/new/b.c 'src/new/b.c:1: belongs to no room'
breach sees_open_for_writing '\nfd = open(p, O_WRONLY | O_TRUNC);\n' src/run/b.c 'src/run/b.c:2: only src/base may write files'
breach sees_fopen_for_writing 'f = fopen(path, "w");\n' tools/b.c 'tools/b.c:1: only src/base may write files'

# ---- names
compile()
{
    rm -f ./*.o lib.a
    printf '%b' "$2" > "$1.c"
    ${CC:-cc} -std=gnu11 -fno-builtin -w -c "$1.c" -o "$1.o" && ar rcs lib.a "$1.o"
}
calls()
{
    compile "$1" "$2"
    expect "names_$3" 1 sh "$lint/names.sh" lib.a
    says "$4"; judge
}
compile alloc 'void *malloc(unsigned long); static int x; int tg_y; void *tg_alloc(void) { x++; return malloc(1); }\n'
expect names_accepts_a_lawful_archive 0 sh "$lint/names.sh" lib.a
silent; judge
calls other 'void *malloc(unsigned long); void *tg_b(void) { return malloc(1); }\n' sees_malloc_elsewhere 'other.o: calls malloc'
calls other 'char *strdup(char *); char *tg_b(char *s) { return strdup(s); }\n' sees_strdup 'other.o: calls strdup'
calls other 'void exit(int); void tg_b(void) { exit(1); }\n' sees_exit 'other.o: calls exit'
calls other '#include <stdio.h>\nvoid tg_b(void) { fprintf(stderr, "x"); }\n' sees_stderr 'other.o: calls stderr'
calls other '#include <stdio.h>\nvoid tg_b(void) { printf("x%%d", 1); }\n' sees_printf 'other.o: calls printf'
calls other 'int system(char *); int tg_b(void) { return system("ls"); }\n' sees_system 'other.o: calls system'
calls other 'void qsort(); void tg_b(void) { qsort(0); }\n' sees_qsort 'other.o: calls qsort'
calls other 'int helper(void) { return 1; }\n' sees_a_function_without_prefix 'other.o: defines helper'
calls other 'int counter = 1;\n' sees_a_variable_without_prefix 'other.o: defines counter'
compile other 'int tg_y;\n'
printf '%s\n' '/* strcpy(a, b) */' 'd->free(d); s = "printf(";' > src/run/copy.c
expect names_accepts_lawful_sources 0 sh "$lint/names.sh" lib.a .
silent; judge
printf '%s\n' '' 'return strcpy(out, "128");' > src/run/copy.c
expect names_sees_strcpy_before_the_optimiser 1 sh "$lint/names.sh" lib.a .
says 'src/run/copy.c:2: calls strcpy'; judge
rm src/run/copy.c
expect names_refuses_what_is_no_archive 1 sh "$lint/names.sh" tools/cli.h
says 'no symbols'; judge

# ---- size
expect size_accepts_a_small_tree 0 sh "$lint/size.sh" .
judge
lines() { awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++) print "    x++;" }'; }
{ echo 'void f(void)'; echo '{'; lines 80; echo '}'; } > src/run/long.c
expect size_sees_a_long_function 1 sh "$lint/size.sh" .
says 'src/run/long.c:2: a function of 82 lines'; judge
{ echo '/* long: one case per opcode */'; cat src/run/long.c; } > src/run/long2.c; rm src/run/long.c
expect size_takes_a_reason 0 sh "$lint/size.sh" .
says 'reasoned'; judge
lines 701 > src/run/huge.c
expect size_sees_a_huge_file 1 sh "$lint/size.sh" .
says 'src/run/huge.c: a file of 701 lines'; judge
