#!/bin/sh
# embed.sh - the recipes beside it as C: tg_recipe_texts, in order of names. The Makefile builds it into the library, so
# that a program finds them wherever it runs.
cd "$(dirname "$0")" || exit 2
LC_ALL=C
export LC_ALL
echo '#include "data/recipe.h"'
for f in *.json; do
    echo "static const unsigned char text_$(echo "${f%.json}" | tr -c 'a-z0-9\n' _)[] = {"
    od -An -v -tx1 "$f" | sed 's/ *\([0-9a-f][0-9a-f]\)/0x\1,/g'
    echo '};'
done
echo 'const tg_recipe_text tg_recipe_texts[] = {'
for f in *.json; do
    t=text_$(echo "${f%.json}" | tr -c 'a-z0-9\n' _)
    echo "    {\"${f%.json}\", $t, sizeof $t},"
done
echo '    {0}'
echo '};'
