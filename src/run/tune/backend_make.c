/* backend_make.c - trials as targets of a Makefile in the study's folder, which anybody may run there again: make -j4. */
#include <stdio.h>

#include "run/tune/wave.h"

/* A trial's target is its result, older than job.json when it is to go on; one that failed has none and is no target. A finished
 * trial's result must outlive an interrupt. Not parallel by itself: -j says how many. */
static const char rules[] =
    "\nopen = $(foreach n,$(trials),$(if $(wildcard trials/$n/failed.json),,trials/$n/result.json))\n"
    "all: $(open)\n"
    "trials/%/result.json: trials/%/job.json\n"
    "\t./gen-tune trial $* --threads $(threads) -q\n"
    ".PHONY: all\n"
    ".PRECIOUS: trials/%/result.json\n"
    ".SUFFIXES:\n";

static tg_status write_makefile(const tg_wave *w)
{
    tg_str text = {0};
    tg_str_add(&text, "# Of gen-tune search --backend make. make -j2 runs what is left of these trials; killed, it goes on\n"
                      "# when it is run again. gen-tune search or gather then takes the results.\n");
    tg_str_addf(&text, "threads = %lld\ntrials =", (long long)w->run->threads);
    for (int64_t i = 0; i < w->run->count; i++) tg_str_addf(&text, " %04lld", (long long)w->run->trials[i]);
    tg_str_add(&text, rules);
    return tg_wave_put(w, "Makefile", &text);
}

static tg_status run(const tg_backend_run *r)
{
    tg_wave w;
    char jobs[32];
    /* The make that may have started us has flags and jobs of its own. */
    const char *const argv[] = {"env", "MAKEFLAGS=", "MFLAGS=", "GNUMAKEFLAGS=", "MAKEFILES=", "MAKELEVEL=",
                                "make", "-f", "Makefile", "-k", "-s", jobs, NULL};
    snprintf(jobs, sizeof jobs, "-j%lld", (long long)r->jobs);
    tg_status s = tg_wave_begin(&w, r);
    if (!s) s = tg_wave_needs(&w, "make", "GNU Make", "--backend make needs GNU make, which is not here under that name");
    if (!s) s = write_makefile(&w);
    if (!s) s = tg_wave_work(&w, argv);
    tg_wave_end(&w);
    return s;
}

const tg_backend tg_backend_make = {.name = "make", .run = run};
