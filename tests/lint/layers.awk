# layers.awk - applies layers.txt to every #include. Called by layers.sh with the law, a list of all files ("=path" a
# line) and then the files themselves; prints "file:line: what is wrong" and ends with status 1 if there was anything.

function complain(text) { print FILENAME ":" FNR ": " text; bad = 1 }

# src/base/str.h -> base/str.h; include/tinygen/model.h -> models/(public); tests/test.h stays.
function place(path)
{
    if (path ~ /^src\//) return substr(path, 5)
    if (path == "include/tinygen.h") return "(public)"
    if (path ~ /^include\/tinygen\//) {
        path = substr(path, 17); sub(/\.h$/, "", path)
        return (path == "model" ? "models" : path) "/(public)"
    }
    return path
}

function room_of(path,    p)
{
    for (p = place(path); p != ""; ) {
        if (p in law) return p
        if (!sub(/\/[^\/]*$/, "", p)) return ""
    }
    return ""
}

# Where the compiler finds it, as a path from the root; "" if nowhere.
function resolve(name,    folder, p)
{
    folder = FILENAME; sub(/\/[^\/]*$/, "", folder)
    if ((p = folder "/" name) in exists) return p
    if ((p = "src/" name) in exists) return p
    if ((p = "include/" name) in exists) return p
    if ((p = "tests/" name) in exists) return p
    return ""
}

function allowed(room, target, is_public,    i, n, right, rights)
{
    n = split(law[room], rights, " ")
    for (i = 1; i <= n; i++) {
        right = rights[i]
        if (right == "public" && is_public) return 1
        if (target == right || index(target, right "/") == 1) return 1
    }
    return 0
}

function check_system(name,    iso)
{
    iso = index(ISO, " " name " ") > 0
    if (index(" " law[room] " ", " <" name "> ")) return
    if (index(" " law[room] " ", iso ? " <c> " : " <posix> ")) return
    if (FILENAME ~ /^include\// && iso) return
    complain(room " may not include <" name ">")
}

function check_own(name,    path, target, is_public, folder, partly)
{
    path = resolve(name)
    if (path == "") { complain("\"" name "\" is not a file from src/, include/ or its own folder"); return }
    target = place(path)
    is_public = path ~ /^include\//
    if (FILENAME == "include/tinygen.h" && is_public) return
    if (FILENAME ~ /^include\// && !is_public) { complain("a public header may not include " name); return }
    if (!allowed(room, target, is_public)) {
        folder = target; sub(/\/[^\/]*$/, "/", folder)
        partly = index(law[room], " " folder) || folder == target || index(room, folder) == 1
        complain(room " may not include " (is_public || partly ? name : folder))
    }
}

BEGIN {
    ISO = " assert.h complex.h ctype.h errno.h fenv.h float.h inttypes.h iso646.h limits.h locale.h math.h setjmp.h" \
          " signal.h stdalign.h stdarg.h stdatomic.h stdbool.h stddef.h stdint.h stdio.h stdlib.h stdnoreturn.h" \
          " string.h tgmath.h threads.h time.h uchar.h wchar.h wctype.h "
}
FNR == 1 { part++; room = part > 2 ? room_of(FILENAME) : "" }
part == 1 {
    if ($0 ~ /^#/ || NF == 0) next
    name = $1; sub(/:$/, "", name); $1 = ""
    law[name] = $0
    next
}
part == 2 { exists[substr($0, 2)] = 1; next }
FNR == 1 && room == "" && FILENAME != "include/tinygen.h" { complain("belongs to no room of tests/lint/layers.txt"); nextfile_ = FILENAME }
FILENAME == nextfile_ { next }
/^[ \t]*#[ \t]*include/ {
    name = $0
    sub(/^[ \t]*#[ \t]*include[ \t]*/, "", name)
    if (name ~ /^<[^>]*>/) { sub(/^</, "", name); sub(/>.*/, "", name); check_system(name) }
    else if (name ~ /^"[^"]*"/) { sub(/^"/, "", name); sub(/".*/, "", name); check_own(name) }
    else complain("an #include names its file, no macro")
}
END { exit bad }
