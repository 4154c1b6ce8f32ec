#!/bin/sh
# slurm.sh start|stop FOLDER - a real Slurm for tests: one node of two cores on loopback, all its files in FOLDER, which must not
# be there yet. Nothing of the system's own Slurm or munge is touched or needed: key, socket, ports, settings are this cluster's.
#
#     sh tests/support/slurm.sh start "$work/slurm" > "$work/why" || { echo "skip NAME: $(cat "$work/why")"; exit 0; }
#     trap 'sh tests/support/slurm.sh stop "$work/slurm"; rm -rf "$work"' EXIT
#     trap 'exit 130' INT TERM HUP                      # sh tells EXIT of none of these
#     export SLURM_CONF="$work/slurm/slurm.conf"        # sbatch, squeue and scancel find the cluster by it
#
# start comes back when the node has run a first command, after a second or a few. Status: 0 it runs; 77 it cannot here, and prints why (what is
# not installed: Debian's slurm-wlm brings it all; not root, which slurmd insists on); 1 it did not come up: the logs' ends.
# stop kills what jobs are left, ends the three processes by the ids that start wrote down, and leaves FOLDER with its logs.
# CPUS=N in the environment: a node that claims as many cores (none is bound). Tried with Slurm 22.05 of Debian 12.
what=$1 folder=$2
case $what:$folder in start:?* | stop:?*) ;; *) echo "usage: slurm.sh start|stop FOLDER" >&2; exit 2 ;; esac
PATH=$PATH:/usr/sbin:/sbin

alive() { kill -0 "$(cat "$folder/$1.id" 2> /dev/null)" 2> /dev/null; }

# until_so COMMAND...: true as soon as it is; gives up after 20 seconds.
until_so()
{
    tries=200
    until "$@" > /dev/null 2>&1; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || return 1
        sleep 0.1
    done
}

idle() { [ -z "$(squeue --noheader)" ]; }
ready() { sinfo --noheader --format=%T | grep -qx idle; }
# A container may let the daemons run, and no job.
works() { timeout 20 srun --immediate=10 true > "$folder/srun.out" 2>&1; }
# Or there is nothing to wait for any more.
ready_or_dead() { ready || ! alive slurmctld || ! alive slurmd; }

# launch NAME COMMAND...: in the background, its id in NAME.id
launch()
{
    name=$1
    shift
    "$@" > "$folder/$name.out" 2>&1 < /dev/null &
    echo $! > "$folder/$name.id"
}

# end NAME: at once, as nothing of it is worth saving
end()
{
    alive "$1" || return 0
    kill -KILL "$(cat "$folder/$1.id")"
    rm -f "$folder/$1.id"
}

stop()
{
    if alive slurmctld && alive slurmd; then
        scancel --quiet --state=PENDING --user=root
        scancel --quiet --full --signal=KILL --user=root
        until_so idle
    fi
    end slurmd
    end slurmctld
    end munged
}

settings()
{
    host=$(hostname -s)
    cat <<- END
	ClusterName=tests
	SlurmctldHost=$host(127.0.0.1)
	SlurmctldPort=$1
	SlurmdPort=$2
	SlurmUser=root
	AuthType=auth/munge
	AuthInfo=socket=$folder/munge.socket
	CredType=cred/munge
	StateSaveLocation=$folder/state
	SlurmdSpoolDir=$folder/spool
	SlurmctldPidFile=$folder/slurmctld.pid
	SlurmdPidFile=$folder/slurmd.pid
	SlurmctldLogFile=$folder/slurmctld.log
	SlurmdLogFile=$folder/slurmd.log
	ProctrackType=proctrack/pgid
	TaskPlugin=task/none
	JobAcctGatherType=jobacct_gather/none
	SelectType=select/cons_tres
	SelectTypeParameters=CR_Core
	SlurmdParameters=config_overrides
	SchedulerParameters=sched_min_interval=0,batch_sched_delay=0
	MinJobAge=2
	KillWait=2
	ReturnToService=2
	MailProg=/bin/true
	NodeName=$host NodeAddr=127.0.0.1 CPUs=${CPUS:-2} RealMemory=1000 State=UNKNOWN
	PartitionName=tests Nodes=ALL Default=YES MaxTime=INFINITE State=UP
	END
}

if [ "$what" = stop ]; then
    export SLURM_CONF="$folder/slurm.conf"
    stop
    exit 0
fi

for program in munged slurmctld slurmd sbatch squeue scancel srun timeout; do
    command -v $program > /dev/null || { echo "no $program on this machine (Debian: slurm-wlm)"; exit 77; }
done
[ "$(id -u)" -eq 0 ] || { echo "slurmd must be started by root"; exit 77; }
umask 022
mkdir "$folder" && folder=$(cd "$folder" && pwd -P) && mkdir "$folder/state" "$folder/spool" || exit 1
export SLURM_CONF="$folder/slurm.conf"
(umask 077; head -c 128 /dev/urandom > "$folder/munge.key")
# --force: the folder may stand below one that others may write to, as /tmp.
launch munged munged --foreground --force --key-file="$folder/munge.key" --socket="$folder/munge.socket" \
    --seed-file="$folder/munge.seed" --pid-file="$folder/munge.pid" --log-file="$folder/munge.log"
until_so munge --socket="$folder/munge.socket" --no-input || {
    end munged
    echo "munged did not start: $(tail -n 3 "$folder/munged.out")"
    exit 1
}

# Ports of our own, below those that the system hands out; taken ones: the next.
port=$((10000 + $$ % 10000 * 2))
for _ in 1 2 3 4 5; do
    settings "$port" $((port + 1)) > "$SLURM_CONF"
    launch slurmctld slurmctld -D -i -f "$SLURM_CONF"
    launch slurmd slurmd -D -f "$SLURM_CONF"
    until_so ready_or_dead
    ready && works && exit 0
    alive slurmctld && alive slurmd && break
    end slurmd
    end slurmctld
    port=$((port + 2))
done
stop
echo "Slurm did not start: $(tail -n 2 "$folder/slurmctld.log" "$folder/slurmd.log" "$folder/srun.out" 2> /dev/null | tr '\n' ' ')"
exit 1
