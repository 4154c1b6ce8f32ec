# A folder in which we may not write. Root may write everywhere, so it steps down first.

skip unless test "$(id -u)" -ne 0 || setpriv --reuid 65534 --clear-groups gen-collect --version
$ printf '%s\n' 'test "$(id -u)" -ne 0 && exec "$@"' 'exec setpriv --reuid 65534 --clear-groups "$@"' > lower
$ chmod 755 . && gen-collect synth:verses -o c --max-bytes 2k -q && mkdir locked && chmod 555 locked
$ sh lower gen-collect synth:verses -o locked/c
! gen-collect: cannot make locked/c: Permission denied
? 1
$ sh lower gen-preprocess c -o locked/x.safetensors
!~ ^gen-preprocess: cannot write locked/x\.safetensors: Permission denied
? 1
$ ls -A locked

# A file that we may not read.
$ echo secret > secret.txt && chmod 0 secret.txt
$ mkdir open && chmod 777 open && sh lower gen-collect secret.txt -o open/c
! gen-collect: cannot open secret.txt: Permission denied
? 1
$ ls -A open
