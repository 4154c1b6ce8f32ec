/*
 * tinygen/base.h - what everything else stands on: status and messages, the context, option rows.
 *
 * A program that uses the library begins and ends like this:
 *
 *     tg_context *ctx = NULL;
 *     if (tg_context_new(&(tg_context_options){0}, &ctx) != TG_OK) {
 *         fprintf(stderr, "%s\n", tg_error());
 *         return 1;
 *     }
 *     ...
 *     tg_context_free(ctx);
 *
 * The library never exits and never prints. A call that fails returns a tg_status other than TG_OK, or NULL where it
 * returns a pointer, and leaves a message for the calling thread: what went wrong, where, and what to do.
 * The verb of a name tells ownership: _new/_free the caller owns memory; _open/_close also a file; _view, _at are
 * borrowed and live as long as their parent; _copy is yours. Results come through the last parameter and are written
 * only on success. Every _free and _close takes NULL. Sizes and counts are int64_t.
 */
#ifndef TINYGEN_BASE_H
#define TINYGEN_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TG_VERSION "0.1.0"

/* Raised whenever the same command gives other bytes than before; part of every model's and state's metadata. */
#define TG_ALGORITHM 4

#if defined(__GNUC__)
#define TG_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define TG_PRINTF(f, a)
#endif

/* ---- status ------------------------------------------------------------------------------------------------- */

typedef enum tg_status {
    TG_OK = 0,
    TG_EINVAL,       /* the request or the data make no sense: exit 1 */
    TG_EUSAGE,       /* an option is wrong: exit 2 */
    TG_ENOMEM,
    TG_EIO,          /* a system call failed */
    TG_EFORMAT,      /* a file is not what it should be */
    TG_EUNSUPPORTED, /* well-formed, but not done here */
    TG_EBUSY,        /* another process holds the lock */
    TG_EGATE,        /* a gate was not met: exit 3 */
    TG_ECANCELLED,   /* the cancel flag was seen; what was done is saved */
    TG_ECLOSED,      /* the reader of our output went away: exit 0 */
    TG_EDIVERGED     /* a training's loss or gradient is not finite, or far too high; what was best is saved */
} tg_status;

/* The calling thread's last message, never NULL; valid until its next failing call. UTF-8, may quote foreign bytes
 * (file names, tokens): pass it through tg_term_safe before it reaches a terminal. */
const char *tg_error(void);

/* Sets the message and returns code. Say what, where, and the remedy: "x.png: cut short at byte 812; fetch it again".
 * Understands what vsnprintf does. */
tg_status tg_fail(tg_status code, const char *format, ...) TG_PRINTF(2, 3);

/* Puts "context: " before the message and returns the status of the last tg_fail: return tg_note("reading %s", path). */
tg_status tg_note(const char *format, ...) TG_PRINTF(1, 2);

/* ---- context ------------------------------------------------------------------------------------------------- */

typedef struct tg_context tg_context; /* pool, kernel table, hooks; one per program; not shared by threads */

typedef enum tg_log_level { TG_LOG_WARN, TG_LOG_INFO, TG_LOG_DETAIL } tg_log_level;

/* Where a long job stands; the hook draws it. Fields that do not apply are 0 (total) or NaN (loss figures). */
typedef struct tg_progress {
    const char *what;       /* "train", "read", "tokenise"; static text */
    int64_t done, total;    /* in unit; total 0: unknown */
    const char *unit;       /* "steps", "bytes"; static text */
    double rate;            /* of rate_unit a second */
    const char *rate_unit;  /* "tokens", "bytes" */
    double seconds_left;    /* NaN: unknown */
    double loss, val_loss;  /* NaN: none */
    bool final;             /* the last report of this job */
} tg_progress;

typedef struct tg_context_options {
    int threads;      /* 0: min(cores in the affinity mask, CPU quota of the cgroup), shared among make -jN */
    const char *isa;  /* NULL: TG_ISA from the environment, else the best that this CPU has */
    void (*log)(void *user, tg_log_level level, const char *text);       /* one line, no newline; may be NULL */
    void (*progress)(void *user, const tg_progress *p);                  /* may be NULL; at most 10 calls a second */
    tg_status (*output)(void *user, const char *bytes, int64_t count);   /* results; NULL: they are dropped */
    void *user;
    const volatile int *cancel; /* a signal handler's flag, a sig_atomic_t; not 0: stop soon, save; may be NULL */
} tg_context_options;

/* Errors: TG_EUSAGE (TG_ISA names an instruction set that this machine lacks), TG_ENOMEM. Fewer threads than asked
 * for, where the system refuses more, is no error: results do not depend on their number. */
tg_status tg_context_new(const tg_context_options *options, tg_context **out);
/* Ends its threads. Whatever was made with ctx is freed before. */
void tg_context_free(tg_context *ctx);

int tg_context_threads(const tg_context *ctx);     /* that work: the caller's and the pool's */
const char *tg_context_isa(const tg_context *ctx); /* "scalar", "avx2", "avx512", "neon" */
bool tg_cancelled(const tg_context *ctx);          /* the cancel flag is up: save, and return TG_ECANCELLED */
/* To the log hook, if there is one; format as printf's; one line, foreign text unescaped (the hook makes it safe). */
void tg_log(tg_context *ctx, tg_log_level level, const char *format, ...) TG_PRINTF(3, 4);
/* Results to the output hook, which may be fed in pieces. Errors: the hook's (TG_ECLOSED: the reader went away). */
tg_status tg_output(tg_context *ctx, const char *bytes, int64_t count);
/* Calls the progress hook unless it was called less than a tenth of a second ago; p->final always gets through. */
void tg_report_progress(tg_context *ctx, const tg_progress *p);

/* ---- option rows ---------------------------------------------------------------------------------------------
 * One row per option drives the command line, --help, config files, config.json, tables in docs and, later, search
 * spaces. A row binds a name to a field of a plain struct; TG_INT and its sisters fill it in:
 *
 *     typedef struct { int64_t latent; double beta; } vae_config;
 *     static const tg_key vae_keys[] = {
 *         TG_INT (vae_config, latent, 'z', "32", 1, 4096, TG_KEY_RESULT, "size of the latent vector"),
 *         TG_REAL(vae_config, beta,    0,  "1",  0, 1000, TG_KEY_RESULT, "weight of the KL term (Higgins et al. 2017)"),
 *         TG_KEYS_END
 *     };
 *
 * A field name's underscores are hyphens in the option: kv_heads is --kv-heads.
 */
typedef enum tg_key_type {
    TG_KEY_END_ROW = 0,
    TG_KEY_INT,    /* int64_t; k, M, G endings (10^3, 10^6, 10^9) are understood */
    TG_KEY_REAL,   /* double */
    TG_KEY_TEXT,   /* const char *, NULL when neither given nor defaulted */
    TG_KEY_SWITCH, /* bool; --name, --no-name */
    TG_KEY_CHOICE, /* int64_t, index into choices "a|b|c" */
    TG_KEY_TIME,   /* double, seconds; 90, 90s, 10m, 2h */
    TG_KEY_LIST    /* tg_list of const char *; may be given again and again; positional arguments are one */
} tg_key_type;

enum {
    TG_KEY_RESULT = 1,   /* decides the result: enters model and state metadata and the resume check */
    TG_KEY_ARGUMENT = 2, /* takes the positional arguments (a TEXT: one, a LIST: all) */
    TG_KEY_REQUIRED = 4,
    TG_KEY_SEED = 8,     /* an INT that also takes the word random */
    TG_KEY_AUTO = 16,    /* its default is worked out (by the data's kind and size); help says "auto" */
    TG_KEY_NAME = 64,     /* a TEXT that names a file or folder: not empty */
    TG_KEY_MARK = 128,    /* whatever the owner of the rows tells apart by it */
    TG_KEY_NO_CONFIG = 32 /* command line only: not in config.json (--force, --resume, --json) */
};

/* Texts in the order they were given; they live as long as the set of keys. */
typedef struct tg_list { const char **items; int64_t count; } tg_list;

typedef struct tg_key {
    const char *name;     /* the field's name; hyphens replace underscores outside */
    char letter;          /* short option, or 0 */
    tg_key_type type;
    size_t offset;        /* of the field in its struct */
    const char *fallback; /* default, as text; NULL: 0, false, NULL or empty */
    double low, high;     /* INT, REAL, TIME: allowed range, both ends included */
    const char *choices;  /* CHOICE: "a|b|c"; TEXT, LIST: the word that help shows, "PATH" */
    unsigned flags;
    const char *help;     /* one sentence, no capital, no full stop */
} tg_key;

#define TG_INT(S, field, letter, fallback, low, high, flags, help) \
    {#field, letter, TG_KEY_INT, offsetof(S, field), fallback, low, high, NULL, flags, help}
#define TG_REAL(S, field, letter, fallback, low, high, flags, help) \
    {#field, letter, TG_KEY_REAL, offsetof(S, field), fallback, low, high, NULL, flags, help}
#define TG_TIME(S, field, letter, fallback, flags, help) \
    {#field, letter, TG_KEY_TIME, offsetof(S, field), fallback, 0, 1e9, NULL, flags, help}
#define TG_TEXT(S, field, letter, fallback, word, flags, help) \
    {#field, letter, TG_KEY_TEXT, offsetof(S, field), fallback, 0, 0, word, flags, help}
#define TG_LIST(S, field, letter, word, flags, help) \
    {#field, letter, TG_KEY_LIST, offsetof(S, field), NULL, 0, 0, word, flags, help}
#define TG_SWITCH(S, field, letter, fallback, flags, help) \
    {#field, letter, TG_KEY_SWITCH, offsetof(S, field), fallback, 0, 1, NULL, flags, help}
#define TG_CHOICE(S, field, letter, fallback, choices, flags, help) \
    {#field, letter, TG_KEY_CHOICE, offsetof(S, field), fallback, 0, 0, choices, flags, help}
#define TG_KEYS_END {NULL, 0, TG_KEY_END_ROW, 0, NULL, 0, 0, NULL, 0, NULL}

/* Where a value came from, strongest last: the row, a run that is gone on with, a config file, the command line. */
typedef enum tg_key_source { TG_FROM_DEFAULT, TG_FROM_RUN, TG_FROM_CONFIG, TG_FROM_FLAG } tg_key_source;

/* Rows bound to the struct they fill, and where each value came from. Texts live in the set's own arena. A model's
 * keys are a second table behind the step's own: tg_keys_add binds as many tables as there are structs. */
typedef struct tg_keys tg_keys;
tg_status tg_keys_new(tg_keys **out);
void tg_keys_free(tg_keys *k); /* texts that options point to go with it */
/* Binds rows to values and writes the defaults there. Both are borrowed. Errors: TG_EINVAL (a name bound before). */
tg_status tg_keys_add(tg_keys *k, const char *title, const tg_key *rows, void *values);
/* One value by its outside name ("kv-heads" or a field's "kv_heads"). The message names the option, the value and what
 * is allowed; an unknown name suggests the nearest. Errors: TG_EUSAGE, TG_ENOMEM. */
tg_status tg_keys_set(tg_keys *k, const char *name, const char *value, tg_key_source source);
tg_key_source tg_keys_source(const tg_keys *k, const char *name);
/* argv as on the command line: --key value, --key=value, -k value, --no-key, unambiguous prefixes, --, positionals.
 * With lenient set, options that no bound row knows are passed over (a first look for --model). */
tg_status tg_keys_parse(tg_keys *k, int argc, char **argv, bool lenient);
/* Every member of a JSON object; name is the file's, for messages. A value given by a stronger source stays, so flags win
 * whenever they were parsed. Unknown members are TG_EUSAGE, with the nearest name; members of `ignore` (comma-separated,
 * "*": all unknown ones, may be NULL) are passed over. */
tg_status tg_keys_read_config(tg_keys *k, const char *name, const char *text, int64_t length, const char *ignore,
                              tg_key_source source);
/* After all parsing: required keys that are missing. */
tg_status tg_keys_check(const tg_keys *k);
/* {"key": value, ...} of all rows whose flags hold all bits of `with` and none of `without`, in table order, with
 * values as JSON; the text is the caller's, freed by tg_free. NULL: no memory. */
char *tg_keys_json(const tg_keys *k, unsigned with, unsigned without);
/* The options part of --help, to columns wide; the caller's, freed by tg_free. NULL: no memory. */
char *tg_keys_help(const tg_keys *k, int columns);

/* The library's allocator, for texts that it hands over. NULL is fine. */
void tg_free(void *memory);

#endif
