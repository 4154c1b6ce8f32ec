# gen-tune search --backend slurm beside a Slurm that answers oddly; a real one is in tests/e2e/tune_backends.sh
$ printf '%s\n' 'rm -rf fake; sh "$TINYGEN_SRC/tests/support/fake_slurm.sh" fake; cat > fake/queue; [ -z "$MOST" ] || echo "MaxArraySize            = $MOST" > fake/config; PATH=$PWD/fake/bin:$PATH gen-tune search --objective branin --backend slurm --trials "$2" -q -o "$1" > out 2> err; echo "status $?"; grep -v "^Slurm.s job" err; cat fake/said' > search.sh
$ gen-tune search --objective branin --trials 5 -q -o want > out

# A queue that waits for a person says so once; a controller that is away is waited for; the array is cluster's, its number behind a greeting.
$ printf '%s\n' 'echo job PD Priority' 'echo job R None; echo job PD JobHeldUser' 'echo job PD JobHeldUser' 'echo no connection >&2; exit 1' 'exit 1' 'echo job SE launch failed' 'tasks; echo job CG None' | sh search.sh a 5; cmp a/ranking.json want/ranking.json; cat a/slurm.json
< status 0
< gen-tune search: warning: Slurm lets trials wait: JobHeldUser (squeue --me says more; scancel 7 gives them up)
< gen-tune search: warning: Slurm does not answer (backend.log has what squeue says); we go on waiting
< gen-tune search: warning: Slurm lets trials wait: launch failed (squeue --me says more; scancel 7 gives them up)
< submitted=0,1,2,3,4
! cat: a/slurm.json: No such file or directory
? 1

# What a user has set for squeue and sbatch hides no job and makes no other array.
$ printf '%s\n' 'echo job R None' 'tasks; echo job R None' | SQUEUE_PARTITION=other SQUEUE_ACCOUNT=other SBATCH_ARRAY_INX=9 SBATCH_WAIT=1 sh search.sh b 5; cmp b/ranking.json want/ranking.json
< status 0
< submitted=0,1,2,3,4

# A cluster whose arrays are short gets several; the tasks of each begin at 0.
$ printf '%s\n' 'tasks' 'tasks' 'tasks' | MOST=2 sh search.sh c 5; cmp c/ranking.json want/ranking.json
< status 0
< submitted=0,1
< submitted=0,1
< submitted=0

# A slurm.json that is not ours names no job to wait for; one that is, does: what is left then is submitted anew.
$ rm -r a/trials/0004 a/study.jsonl; echo '{"name": "gen-tune-$(touch PWNED)", "job": "7"}' > a/slurm.json; echo 'tasks' | sh search.sh a 5; cmp a/ranking.json want/ranking.json; ls PWNED 2> /dev/null
< status 0
< submitted=4
? 2
$ rm -r a/trials/0004 a/study.jsonl; echo '{"name": "gen-tune-0123456789abcdef", "job": "3"}' > a/slurm.json; printf '%s\n' 'echo job R None' 'true' 'tasks' | sh search.sh a 5; cmp a/ranking.json want/ranking.json; cat fake/looks | wc -l
< status 0
< submitted=4
< 3
# All that was left is done by that array.
$ rm -r a/trials/0004 a/study.jsonl; echo '{"name": "gen-tune-0123456789abcdef", "job": "3"}' > a/slurm.json; printf '#SBATCH --array=4\nTASK_ID + 0\n' > a/array.sh; printf '%s\n' 'tasks; echo job CG None' | sh search.sh a 5; cmp a/ranking.json want/ranking.json
< status 0

# Jobs that have failed or were cancelled stay in the queue for minutes; nobody waits for that.
$ printf '%s\n' 'echo job F NonZeroExitCode; echo job CA None' 'tasks' | sh search.sh e 5 | grep -v once; cmp e/ranking.json want/ranking.json
< status 0
< submitted=0,1,2,3,4
< submitted=0,1,2,3,4

# An array that somebody cancels before anything ran: its trials are submitted again, not for ever, and none is given up for it.
$ echo 'echo job CA None' | sh search.sh d 2 | grep -v 'once more'; cat err | grep -c 'once more'; grep '"end"' d/study.jsonl
< status 1
< gen-tune search: trial 0 ended without a result, 3 times; gen-tune trial 0 -o d says why, and once that is mended the same command goes on
< submitted=0,1
< submitted=0,1
< submitted=0,1
< 4
? 1
$ echo tasks | sh search.sh d 2; grep -c '"end"' d/study.jsonl
< status 0
< submitted=0,1
< 2
