#!/bin/sh
# fake_slurm.sh FOLDER - writes sbatch, squeue, scancel and scontrol into FOLDER/bin, for what a real Slurm does not do when it is
# asked to: the n-th squeue does what the n-th line of FOLDER/queue says, in sh ($job: number of the array that was submitted
# last; "tasks" runs what of it is left); after the last line the queue is empty. FOLDER/said holds what was submitted and cancelled.
mkdir -p "$1/bin" && fake=$(cd "$1" && pwd) || exit 1
: > "$fake/said"
echo "fake='$fake'" > "$fake/start"
cat >> "$fake/start" << 'END'
job=$(cat "$fake/job" 2> /dev/null || echo 0)
tasks()
{
    base=$(sed -n 's/.*TASK_ID + \([0-9]*\).*/\1/p' array.sh)
    for task in $(sed -n 's/^#SBATCH --array=\([0-9,]*\).*/\1/p' array.sh | tr , ' '); do ./gen-tune trial $((task + base)) -q; done
}
END
cat > "$fake/bin/sbatch" << END
#!/bin/sh
. '$fake/start'
[ "\$1" = --version ] && { echo "slurm 99"; exit 0; }
for script; do :; done
[ "\$script" = gather.sh ] && { echo 1; exit 0; }
[ -z "\$SBATCH_ARRAY_INX\$SBATCH_WAIT" ] || exit 1
job=\$((job + 7))
echo \$job > "\$fake/job"
sed -n 's/^#SBATCH --array/submitted/p' "\$script" >> "\$fake/said"
echo "sbatch: a greeting"
echo "\$job;cluster"
END
cat > "$fake/bin/squeue" << END
#!/bin/sh
. '$fake/start'
[ -z "\$SQUEUE_PARTITION\$SQUEUE_ACCOUNT" ] || exit 0
echo >> "\$fake/looks"
line=\$(sed -n "\$(wc -l < "\$fake/looks")p" "\$fake/queue")
eval "\$line"
END
cat > "$fake/bin/scancel" << END
#!/bin/sh
. '$fake/start'
case \$2 in *g) ;; *) echo cancelled >> "\$fake/said" ;; esac
END
printf '#!/bin/sh\n. "%s"\n' "$fake/start" > "$fake/bin/scontrol"
echo 'cat "$fake/config" 2> /dev/null' >> "$fake/bin/scontrol"
chmod +x "$fake"/bin/*
