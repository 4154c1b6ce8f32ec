/* Tests of the backends over a study that is nothing but folders and a gen-tune of a few lines of shell: what is handed to other
 * programs, how often, and what is left for the next time. A real Slurm and real trials: tests/e2e/tune_backends.sh. */
#include "run/tune/backend.h"

#include <sys/stat.h>

#include "base/context.h"
#include "base/str.h"
#include "support/files.h"

enum { MOST = 16 };

/* Takes down that it ran, by number; a trial of which there is "dies" kills itself the first time. */
static const char program[] =
    "#!/bin/sh\n"
    "n=$(expr \"$2\" + 0)\n"
    "folder=trials/$(printf %04d \"$n\")\n"
    "[ \"$1\" = trial ] && cd \"$folder\" || exit 9\n"
    "echo \"$3 $4 $5\" >> runs\n"
    "if [ -e dies ]; then rm dies; kill -9 $$; fi\n"
    "if [ -e fails ]; then : > failed.json; else : > result.json; fi\n";

typedef struct study {
    const char *folder;
    int64_t trials[MOST];
    tg_backend_run run;
    volatile int signal;
    int stops;    /* the signal that comes when Slurm has the array; -1: the budget's end */
    char said[2000];
} study;

static const char *of(const study *s, int64_t n, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "trials/%04lld/%s", (long long)n, name);
    return in(s->folder, path);
}

static bool over(void *user, int64_t i)
{
    const study *s = user;
    return tg_path_kind(of(s, s->trials[i], "result.json")) == TG_PATH_FILE ||
           tg_path_kind(of(s, s->trials[i], "failed.json")) == TG_PATH_FILE;
}

static void hear(void *user, tg_log_level level, const char *text)
{
    study *s = user;
    (void)level;
    const size_t n = strlen(s->said);
    snprintf(s->said + n, sizeof s->said - n, "%s\n", text);
}

/* A study of so many trials below a name that would be a command in any shell. */
static void make_study(study *s, const char *top, int64_t count, int64_t first)
{
    tg_context *ctx = NULL;
    *s = (study){.folder = in(top, "$(touch PWNED) `touch PWNED`;touch PWNED '\"\n%j\\ \xe8\xaf\x95\xe9\xaa\x8c #")};
    CHECK_OK(tg_context_new(&(tg_context_options){.threads = 1, .cancel = &s->signal, .log = hear, .user = s}, &ctx));
    for (int64_t i = 0; i < count; i++) {
        s->trials[i] = first + i;
        CHECK_OK(tg_make_folder(of(s, first + i, "")));
        put(of(s, first + i, "job.json"), "{}\n");
    }
    put(in(s->folder, "gen-tune"), program);
    CHECK_INT(chmod(in(s->folder, "gen-tune"), 0755), 0);
    s->run = (tg_backend_run){.ctx = ctx, .folder = s->folder, .trials = s->trials, .count = count, .jobs = 2,
                              .threads = 3, .end = 1e18, .over = over, .user = s};
}

/* Until the next call. */
static const char *text_of(const char *path)
{
    static char text[4096];
    char *got = NULL;
    int64_t length = 0;
    text[0] = '\0';
    if (tg_path_kind(path) == TG_PATH_NONE) return text;
    CHECK_OK(tg_file_slurp(path, sizeof text - 1, &got, &length));
    memcpy(text, got, (size_t)length + 1);
    tg_free(got);
    return text;
}

static void has_run(const study *s, int64_t n, const char *want)
{
    CHECK_TEXT(text_of(of(s, n, "runs")), want);
}

/* One trial dies, one fails, one is over before; what is left afterwards is for the study to run again. */
static void check_backend(const tg_backend *b, const char *top)
{
    study s;
    make_study(&s, top, 5, 7); /* 7 to 11: "08" is no octal number */
    put(of(&s, 9, "dies"), "");
    put(of(&s, 10, "fails"), "");
    put(of(&s, 11, "result.json"), "");
    CHECK_OK(b->run(&s.run));
    for (int64_t n = 7; n <= 11; n++) has_run(&s, n, n < 11 ? "--threads 3 -q\n" : "");
    CHECK(!over(&s, 2));
    CHECK_INT(tg_path_kind(of(&s, 10, "result.json")), TG_PATH_NONE);
    CHECK_OK(b->run(&s.run));
    has_run(&s, 9, "--threads 3 -q\n--threads 3 -q\n");
    CHECK(over(&s, 2));
    CHECK_INT(tg_path_kind(in(top, "PWNED")), TG_PATH_NONE);
    CHECK_INT(tg_path_kind(in(s.folder, "PWNED")), TG_PATH_NONE);
    tg_context_free(s.run.ctx);
}

static bool is_here(const char *command)
{
    return system(command) == 0;
}

TEST(make_runs_each_trial_once_and_what_died_again)
{
    const char *top = test_folder();
    check_backend(&tg_backend_make, top);
}

TEST(anybody_may_run_the_makefile_again)
{
    study s;
    char command[200];
    make_study(&s, test_folder(), 4, 0);
    put(of(&s, 2, "dies"), "");
    put(of(&s, 3, "fails"), "");
    CHECK_OK(tg_backend_make.run(&s.run));
    CHECK_INT(chdir(s.folder), 0);
    snprintf(command, sizeof command, "make -j2 > ../out 2>&1");
    CHECK_INT(system(command), 0);
    has_run(&s, 0, "--threads 3 -q\n");
    has_run(&s, 2, "--threads 3 -q\n--threads 3 -q\n");
    CHECK_INT(system(command), 0);
    holds("../out", "make: Nothing to be done for 'all'.\n");
    put(of(&s, 1, "job.json"), "{\"until\": 20}\n"); /* it is to go on */
    CHECK_INT(system(command), 0);
    has_run(&s, 0, "--threads 3 -q\n");
    has_run(&s, 1, "--threads 3 -q\n--threads 3 -q\n");
    has_run(&s, 3, "--threads 3 -q\n");
    tg_context_free(s.run.ctx);
}

TEST(a_make_that_runs_us_does_not_meddle)
{
    study s;
    make_study(&s, test_folder(), 2, 0);
    setenv("MAKEFLAGS", "n -j8 --jobserver-auth=3,4", 1);
    CHECK_OK(tg_backend_make.run(&s.run));
    has_run(&s, 1, "--threads 3 -q\n");
    tg_context_free(s.run.ctx);
}

TEST(parallel_runs_each_trial_once_and_what_died_again)
{
    if (!is_here("parallel --version 2> /dev/null | grep -q '^GNU parallel'")) test_skip("no GNU parallel");
    setenv("PARALLEL", "--dry-run", 1); /* somebody's settings are not for us */
    check_backend(&tg_backend_parallel, test_folder());
}

TEST(a_program_that_is_missing_is_told_with_what_else_there_is)
{
    study s;
    const char *top = test_folder(), *bin = in(top, "bin");
    make_study(&s, top, 1, 0);
    CHECK_OK(tg_make_folder(bin));
    setenv("PATH", bin, 1);
    CHECK_ERROR(tg_backend_make.run(&s.run), TG_EUSAGE, "GNU make");
    CHECK_ERROR(tg_backend_parallel.run(&s.run), TG_EUSAGE, "GNU parallel");
    CHECK_ERROR(tg_backend_slurm.run(&s.run), TG_EUSAGE, "--backend local");
    /* moreutils has another program of that name */
    put(in(bin, "parallel"), "#!/bin/sh\necho \"parallel: invalid option -- '-'\" >&2\nexit 1\n");
    CHECK_INT(chmod(in(bin, "parallel"), 0755), 0);
    CHECK_ERROR(tg_backend_parallel.run(&s.run), TG_EUSAGE, "GNU parallel");
    CHECK_INT(tg_path_kind(of(&s, 0, "runs")), TG_PATH_NONE);
    tg_context_free(s.run.ctx);
}

/* ---- Slurm, played by three scripts: sbatch takes a job and gives it a number, the n-th squeue does and says what answers/n
 * tells (nothing: no job is there), and all take down how they were called */

static const char stand_in[] =
    "#!/bin/sh\n"
    "me=$(basename \"$0\")\n"
    "[ \"$1\" = --version ] && { echo 'slurm-wlm 22.05.8'; exit; }\n"
    "echo \"$me $*\" | sed 's/gen-tune-[0-9a-f]*/NAME/' >> \"$SLURM/calls\"\n"
    "n=$(grep -c \"^$me \" \"$SLURM/calls\")\n"
    "case $me in\n"
    "sbatch) [ ! -e \"$SLURM/refuses\" ] || { echo 'sbatch: error: invalid partition specified: gpu' >&2; exit 1; }\n"
    "    echo 'sbatch: a word of warning' >&2; echo \"10$n;hall\" ;;\n"
    "squeue) if [ -e \"$SLURM/answers/$n\" ]; then . \"$SLURM/answers/$n\"; fi ;;\n"
    "esac\n";
/* What the nodes do with array.sh. */
static const char works[] =
    "for i in $(sed -n 's/^#SBATCH --array=\\([0-9,]*\\).*/\\1/p' array.sh | tr , ' '); do\n"
    "    SLURM_ARRAY_TASK_ID=$i sh array.sh\n"
    "done\n";

static const char *slurm; /* its folder */

static void make_slurm(study *s, int64_t count, int64_t first)
{
    static const char *const names[] = {"sbatch", "squeue", "scancel"};
    char path[4096];
    const char *top = test_folder();
    slurm = in(top, "slurm");
    CHECK_OK(tg_make_folder(in(slurm, "answers")));
    CHECK_OK(tg_make_folder(in(slurm, "bin")));
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/bin/%s", slurm, names[i]);
        put(path, stand_in);
        CHECK_INT(chmod(path, 0755), 0);
    }
    snprintf(path, sizeof path, "%s/bin:%s", slurm, getenv("PATH"));
    setenv("PATH", path, 1);
    setenv("SLURM", slurm, 1);
    make_study(s, top, count, first);
}

static void answer(int n, const char *say, const char *act)
{
    char name[32], text[1000];
    snprintf(name, sizeof name, "answers/%d", n);
    snprintf(text, sizeof text, "%s%s", act, say);
    put(in(slurm, name), text);
}

#define QUEUE "squeue --me --noheader --states=all --format=job %t %r --name=NAME\n"
#define SUBMIT(n) "sbatch --parsable --job-name=NAME --output=/dev/null array.sh\n" \
    "sbatch --parsable --job-name=NAMEg --output=/dev/null --dependency=afterany:" #n " gather.sh\n"

TEST(slurm_gets_one_array_and_a_job_behind_it)
{
    study s;
    make_slurm(&s, 5, 7);
    put(of(&s, 9, "dies"), "");
    put(of(&s, 10, "fails"), "");
    put(of(&s, 11, "result.json"), "");
    answer(1, "echo 'job PD Resources'; echo 'job PD Resources'\n", "");
    answer(2, "echo 'job R None'; echo 'job F NonZeroExitCode'\n", works);
    answer(3, "echo 'job CD None'; echo 'job F NonZeroExitCode'\n", "");
    CHECK_OK(tg_backend_slurm.run(&s.run));
    for (int64_t n = 7; n <= 11; n++) has_run(&s, n, n < 11 ? "--threads 3 -q\n" : "");
    CHECK(!over(&s, 2)); /* it died, and the array has ended */
    holds(in(slurm, "calls"), SUBMIT(101) QUEUE QUEUE QUEUE "scancel --quiet --name=NAMEg\n");
    holds(in(s.folder, "array.sh"), "#!/bin/sh\n# Of gen-tune search --backend slurm.\n#SBATCH --array=7,8,9,10%2\n"
          "#SBATCH --requeue\n#SBATCH --open-mode=append\n#SBATCH --ntasks=1\n#SBATCH --cpus-per-task=3\n"
          "exec ./gen-tune trial $((SLURM_ARRAY_TASK_ID + 0)) --threads 3 -q\n");
    CHECK_INT(tg_path_kind(in(s.folder, "slurm.json")), TG_PATH_NONE);
    CHECK_TEXT(s.said, "Slurm's job 101 (squeue --me); Ctrl-C cancels it, a closed terminal does not\n");
    tg_context_free(s.run.ctx);
}

TEST(an_array_that_still_runs_is_not_submitted_again)
{
    study s;
    make_slurm(&s, 3, 0);
    answer(1, "echo 'job R None'\n", "");
    put(in(s.folder, "array.sh"), "#SBATCH --array=0,1,2\nexec ./gen-tune trial $SLURM_ARRAY_TASK_ID\n");
    answer(2, "echo 'job CG None'\n", works);
    /* killed before it knew the number */
    put(in(s.folder, "slurm.json"), "{\"name\": \"gen-tune-0123456789abcdef\", \"job\": null}\n");
    CHECK_OK(tg_backend_slurm.run(&s.run));
    holds(in(slurm, "calls"), QUEUE QUEUE "scancel --quiet --name=NAMEg\n");
    has_run(&s, 1, "  \n");
    CHECK_INT(tg_path_kind(in(s.folder, "slurm.json")), TG_PATH_NONE);
    tg_context_free(s.run.ctx);
}

TEST(what_an_array_of_before_has_left_is_submitted)
{
    study s;
    make_slurm(&s, 2, 0);
    put(in(s.folder, "slurm.json"), "{\"name\": \"gen-tune-0123456789abcdef\", \"job\": \"77\"}\n");
    answer(2, "", works);
    CHECK_OK(tg_backend_slurm.run(&s.run));
    holds(in(slurm, "calls"), QUEUE "scancel --quiet --name=NAMEg\n" SUBMIT(101) QUEUE "scancel --quiet --name=NAMEg\n");
    CHECK(over(&s, 0) && over(&s, 1));
    tg_context_free(s.run.ctx);
}

TEST(a_job_name_that_is_not_ours_is_not_asked_for)
{
    study s;
    make_slurm(&s, 1, 0);
    put(in(s.folder, "slurm.json"), "{\"name\": \"gen-tune-0,another\", \"job\": \"7 8\"}\n");
    answer(1, "", works);
    CHECK_OK(tg_backend_slurm.run(&s.run));
    holds(in(slurm, "calls"), SUBMIT(101) QUEUE "scancel --quiet --name=NAMEg\n");
    tg_context_free(s.run.ctx);
}

TEST(trials_beyond_the_longest_array_get_another)
{
    study s;
    make_slurm(&s, 4, 998);
    answer(1, "", works);
    answer(2, "", works);
    CHECK_OK(tg_backend_slurm.run(&s.run));
    for (int64_t n = 998; n <= 1001; n++) has_run(&s, n, "--threads 3 -q\n");
    CHECK(strstr(text_of(in(s.folder, "array.sh")), "--array=0,1%2\n"));
    CHECK(strstr(text_of(in(s.folder, "array.sh")), " + 1000)) "));
    tg_context_free(s.run.ctx);
}

TEST(a_controller_that_does_not_answer_is_waited_for)
{
    study s;
    make_slurm(&s, 2, 0);
    answer(1, "echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1\n", "");
    answer(2, "exit 1\n", "");
    answer(3, "", works);
    CHECK_OK(tg_backend_slurm.run(&s.run));
    CHECK(over(&s, 0) && over(&s, 1));
    const char *first = strstr(s.said, "does not answer");
    CHECK(first && !strstr(first + 1, "does not answer"));
    tg_context_free(s.run.ctx);
}

TEST(a_reason_to_wait_that_time_does_not_mend_is_told_once)
{
    study s;
    make_slurm(&s, 2, 0);
    answer(1, "echo 'job PD Resources'\n", "");
    answer(2, "echo 'job PD PartitionTimeLimit'; echo 'job PD PartitionTimeLimit'\n", "");
    answer(3, "echo 'job PD PartitionTimeLimit'\n", "");
    answer(4, "", works);
    CHECK_OK(tg_backend_slurm.run(&s.run));
    static const char told[] = "Slurm lets trials wait: PartitionTimeLimit (squeue --me says more; scancel 101 gives them up)\n";
    const char *first = strstr(s.said, told);
    CHECK(first && !strstr(first + strlen(told), "PartitionTimeLimit"));
    CHECK(!strstr(s.said, "Resources"));
    tg_context_free(s.run.ctx);
}

TEST(slurms_refusal_is_told_in_its_own_words)
{
    study s;
    make_slurm(&s, 1, 0);
    put(in(slurm, "refuses"), "");
    CHECK_ERROR(tg_backend_slurm.run(&s.run), TG_EIO, "sbatch: error: invalid partition specified: gpu");
    tg_context_free(s.run.ctx);
}

static bool over_and_signal(void *user, int64_t i)
{
    study *s = user;
    if (!strstr(text_of(in(slurm, "calls")), "squeue")) return over(user, i);
    if (s->stops > 0) s->signal = s->stops;
    else s->run.end = 0;
    return over(user, i);
}

TEST(an_interrupt_cancels_the_array_and_keeps_its_name)
{
    study s;
    make_slurm(&s, 1, 0);
    answer(1, "echo 'job R None'\n", "");
    s.stops = 2;
    s.run.over = over_and_signal;
    CHECK_ERROR(tg_backend_slurm.run(&s.run), TG_ECANCELLED, "the same command goes on");
    CHECK(strstr(s.said, "Slurm's job 101 is cancelled, its trials save\n"));
    CHECK(strstr(text_of(in(slurm, "calls")), QUEUE "scancel --quiet --name=NAME\nscancel --quiet --name=NAMEg\n"));
    CHECK_INT(tg_path_kind(in(s.folder, "slurm.json")), TG_PATH_FILE);
    tg_context_free(s.run.ctx);
}

TEST(the_end_of_the_budget_cancels_the_array)
{
    study s;
    make_slurm(&s, 1, 0);
    answer(1, "echo 'job R None'\n", "");
    s.run.end = 0;
    CHECK_OK(tg_backend_slurm.run(&s.run));
    CHECK_TEXT(text_of(in(slurm, "calls")), ""); /* it was over before */
    s.run.end = 1e18;
    s.stops = -1;
    s.run.over = over_and_signal;
    CHECK_OK(tg_backend_slurm.run(&s.run));
    CHECK(strstr(text_of(in(slurm, "calls")), "scancel --quiet --name=NAME\nscancel --quiet --name=NAMEg\n"));
    CHECK_INT(tg_path_kind(in(s.folder, "slurm.json")), TG_PATH_FILE);
    tg_context_free(s.run.ctx);
}

TEST(a_closed_terminal_leaves_the_array)
{
    study s;
    make_slurm(&s, 1, 0);
    answer(1, "echo 'job R None'\n", "");
    s.stops = 1;
    s.run.over = over_and_signal;
    CHECK_ERROR(tg_backend_slurm.run(&s.run), TG_ECANCELLED, "the same command goes on");
    CHECK(strstr(s.said, "Slurm's job 101 goes on\n"));
    CHECK(!strstr(text_of(in(slurm, "calls")), "scancel"));
    CHECK_INT(tg_path_kind(in(s.folder, "slurm.json")), TG_PATH_FILE);
    tg_context_free(s.run.ctx);
}
