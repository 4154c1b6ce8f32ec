/* Tests of run/checkpoint.c and run/trained.c: what is saved goes on with the same bytes, and what is damaged is refused. */
#include "run/checkpoint.h"

#include "base/fault.h"
#include "base/hash.h"
#include "run/trained.h"
#include "support/bench.h"

typedef struct kept {
    bench b;
    tg_rundir *dir;
    tg_about about;
    tg_saver saver;
    char *tokenizer;
} kept;

static void kept_new(kept *k, const char *folder, bool resume)
{
    k->b = bench_new("lstm", 2, 0.1);
    k->tokenizer = tg_tokenizer_json(tg_dataset_tokenizer(k->b.data));
    CHECK_OK(tg_rundir_open(folder, resume, false, &k->dir));
    k->about = (tg_about){.model = "lstm", .data_hash = tg_dataset_hash(k->b.data), .tokenizer = k->tokenizer,
                          .settings = "{\"hidden\": 24, \"dropout\": 0.1}", .data = *tg_model_about(k->b.model)};
    k->saver = (tg_saver){.ctx = k->b.ctx, .dir = k->dir, .loop = k->b.loop, .about = &k->about, .model_step = -1};
}

static void kept_free(kept *k)
{
    tg_rundir_close(k->dir);
    tg_free(k->tokenizer);
    bench_free(&k->b);
}

static void steps(kept *k, int n)
{
    tg_step_info i;
    for (; n > 0; n--) CHECK_OK(tg_loop_step(k->b.loop, &i));
}

static char *file_of(const kept *k, const char *name)
{
    return tg_rundir_file(k->dir, name);
}

static void load(kept *k, const char *name)
{
    tg_safetensors *file;
    char *path = file_of(k, name);
    CHECK_OK(tg_safetensors_open(path, &file));
    CHECK_OK(tg_checkpoint_load(file, &k->saver));
    tg_safetensors_close(file);
    tg_free(path);
}

static void hash_of(const kept *k, const char *name, char hex[65])
{
    char *path = file_of(k, name), *bytes;
    int64_t length;
    CHECK_OK(tg_file_slurp(path, 1 << 28, &bytes, &length));
    tg_sha256_hex(bytes, length, hex);
    tg_free(bytes);
    tg_free(path);
}

TEST(a_loaded_state_goes_on_with_the_same_bytes)
{
    const char *folder = test_folder(), *other = test_folder();
    char unbroken[65], resumed[65];
    double nats;
    kept k, r;
    kept_new(&k, folder, false);
    steps(&k, 7);
    CHECK_OK(tg_loop_evaluate(k.b.loop, &nats));
    steps(&k, 4);
    CHECK_OK(tg_checkpoint_save(&k.saver));
    char *saved = file_of(&k, "state.safetensors");
    steps(&k, 9);
    CHECK_OK(tg_checkpoint_save(&k.saver));
    hash_of(&k, "state.safetensors", unbroken);

    kept_new(&r, other, false);
    load(&r, "../1/state.prev.safetensors");
    CHECK_INT(r.b.loop->place.step, 11);
    CHECK_INT(r.b.loop->place.best_step, 7);
    CHECK(r.b.loop->place.best_loss == nats);
    steps(&r, 9);
    CHECK_OK(tg_checkpoint_save(&r.saver));
    hash_of(&r, "state.safetensors", resumed);
    CHECK_TEXT(resumed, unbroken);
    tg_free(saved);
    kept_free(&r);
    kept_free(&k);
    CHECK_INT(tg_alloc_live(), 0);
}

TEST(the_state_names_the_hash_of_the_model_file)
{
    kept k;
    char hex[65];
    kept_new(&k, test_folder(), false);
    steps(&k, 3);
    CHECK_OK(tg_checkpoint_save(&k.saver));
    hash_of(&k, "model.safetensors", hex);
    CHECK_TEXT(k.saver.model_sha256, hex);
    char *path = file_of(&k, "state.safetensors");
    tg_safetensors *file;
    CHECK_OK(tg_safetensors_open(path, &file));
    CHECK_TEXT(tg_json_text(tg_safetensors_meta(file), "model_sha256"), hex);
    tg_safetensors_close(file);
    tg_free(path);
    kept_free(&k);
}

TEST(only_so_many_states_are_kept)
{
    kept k;
    tg_listing names;
    kept_new(&k, test_folder(), false);
    k.saver.keep = 2;
    for (int i = 0; i < 4; i++) {
        steps(&k, 1);
        CHECK_OK(tg_checkpoint_save(&k.saver));
    }
    char *states = file_of(&k, "states");
    CHECK_OK(tg_list_tree(states, &names));
    CHECK_INT(names.count, 2);
    CHECK_TEXT(names.names[0], "00000003.safetensors");
    tg_listing_free(&names);
    tg_free(states);
    load(&k, "states/00000004.safetensors");
    CHECK_INT(k.b.loop->place.step, 4);
    kept_free(&k);
}

TEST(a_flipped_bit_anywhere_in_a_state_is_found)
{
    kept k;
    char *bytes;
    int64_t length;
    kept_new(&k, test_folder(), false);
    steps(&k, 1);
    CHECK_OK(tg_checkpoint_save(&k.saver));
    char *path = file_of(&k, "state.safetensors"), *bad = file_of(&k, "state.prev.safetensors");
    CHECK_OK(tg_file_slurp(path, 1 << 28, &bytes, &length));
    for (int64_t at = 0; at < length; at += 1 + length / 150) {
        tg_safetensors *file = NULL;
        bytes[at] ^= 16;
        CHECK_OK(tg_write_file(bad, bytes, length));
        tg_status s = tg_safetensors_open(bad, &file);
        if (!s) s = tg_checkpoint_load(file, &k.saver);
        tg_safetensors_close(file);
        if (s != TG_EFORMAT) test_failed(__FILE__, __LINE__, "a flipped bit at byte %lld is taken", (long long)at);
        bytes[at] ^= 16;
    }
    tg_free(bytes);
    tg_free(path);
    tg_free(bad);
    kept_free(&k);
}

TEST(a_model_file_is_enough_to_sample)
{
    kept k;
    tg_trained *t;
    kept_new(&k, test_folder(), false);
    steps(&k, 2);
    CHECK_OK(tg_checkpoint_save(&k.saver));
    CHECK_OK(tg_trained_open(k.b.ctx, k.dir->path, true, &t));
    CHECK_INT(tg_tokenizer_vocab(t->tokenizer), tg_model_about(k.b.model)->vocab);
    const tg_params *a = tg_model_params(t->model), *b = tg_model_params(k.b.model);
    CHECK_INT(tg_params_size(a), tg_params_size(b));
    CHECK_BYTES(tg_params_values(a), tg_params_values(b), tg_params_size(a) * (int64_t)sizeof(float));
    tg_trained_close(t);
    kept_free(&k);
}

TEST(a_model_whose_settings_lie_is_refused_before_memory_is_asked_for)
{
    kept k;
    tg_trained *t;
    kept_new(&k, test_folder(), false);
    k.about.settings = "{\"hidden\": 4096, \"layers\": 16}";
    CHECK_OK(tg_checkpoint_save_model(&k.saver));
    CHECK_ERROR(tg_trained_open(k.b.ctx, k.dir->path, true, &t), TG_EFORMAT, "need more weights than it holds");
    k.about.settings = "{\"hidden\": 20}";
    k.saver.model_step = -1;
    CHECK_OK(tg_checkpoint_save_model(&k.saver));
    CHECK_ERROR(tg_trained_open(k.b.ctx, k.dir->path, true, &t), TG_EFORMAT, "embed.weight is [");
    k.about.settings = "{\"hidden\": -3}";
    k.saver.model_step = -1;
    CHECK_OK(tg_checkpoint_save_model(&k.saver));
    CHECK(tg_trained_open(k.b.ctx, k.dir->path, true, &t) != TG_OK);
    k.about.model = "elman";
    k.saver.model_step = -1;
    CHECK_OK(tg_checkpoint_save_model(&k.saver));
    CHECK_ERROR(tg_trained_open(k.b.ctx, k.dir->path, true, &t), TG_EUNSUPPORTED, "elman");
    kept_free(&k);
}

TEST(a_state_is_a_model_of_its_averaged_weights)
{
    kept k;
    tg_trained *t;
    kept_new(&k, test_folder(), false);
    steps(&k, 3);
    tg_params *p = tg_model_params(k.b.model);
    k.b.loop->ema = tg_alloc_array(tg_params_size(p), sizeof(float));
    for (int64_t i = 0; i < tg_params_size(p); i++) k.b.loop->ema[i] = 0.25f;
    CHECK_OK(tg_checkpoint_save(&k.saver));
    char *path = file_of(&k, "state.safetensors");
    CHECK_OK(tg_trained_open(k.b.ctx, path, true, &t));
    CHECK(tg_params_at(tg_model_params(t->model), 0)->data[0] == 0.25f);
    tg_trained_close(t);
    CHECK_ERROR(tg_trained_open(k.b.ctx, path, false, &t), TG_EFORMAT, "training state");
    tg_free(path);
    kept_free(&k);
}

TEST(folders_with_other_things_in_them_are_left_alone)
{
    tg_rundir *r;
    const char *folder = test_folder();
    char *note = tg_path_join(folder, "note.txt");
    CHECK_OK(tg_write_file(note, "mine", 4));
    CHECK_ERROR(tg_rundir_open(folder, false, true, &r), TG_EINVAL, "not a run folder");
    CHECK_INT(tg_path_kind(note), TG_PATH_FILE);
    CHECK_ERROR(tg_rundir_open(note, false, true, &r), TG_EINVAL, "is a file");
    tg_free(note);
}

TEST(what_lies_beside_a_run_keeps_nobody_from_going_on_and_is_never_removed)
{
    tg_rundir *r;
    const char *folder = test_folder();
    char *note = tg_path_join(folder, "note.txt"), *config = tg_path_join(folder, "config.json");
    CHECK_OK(tg_write_file(note, "mine", 4));
    CHECK_OK(tg_write_file(config, "{\"data\": \"x\", \"model\": \"gru\"}", 29));
    CHECK_OK(tg_rundir_open(folder, true, false, &r));
    tg_rundir_close(r);
    CHECK_OK(tg_rundir_open(folder, false, true, &r));
    tg_rundir_close(r);
    CHECK_INT(tg_path_kind(note), TG_PATH_FILE);
    CHECK_INT(tg_path_kind(config), TG_PATH_NONE);
    tg_free(note);
    tg_free(config);
}

TEST(a_run_is_replaced_only_by_force)
{
    kept k;
    const char *folder = test_folder();
    tg_rundir *r;
    kept_new(&k, folder, false);
    CHECK_OK(tg_checkpoint_save(&k.saver));
    CHECK_OK(tg_rundir_put(k.dir, "config.json", "{\"data\": \"x\", \"model\": \"lstm\"}"));
    kept_free(&k);
    CHECK_ERROR(tg_rundir_open(folder, false, false, &r), TG_EINVAL, "--resume goes on with it, --force replaces it");
    CHECK_OK(tg_rundir_open(folder, true, true, &r)); /* resuming wins */
    CHECK(r->used && tg_rundir_has(r, "state.safetensors"));
    tg_rundir_close(r);
    CHECK_OK(tg_rundir_open(folder, false, true, &r));
    CHECK(!r->used && !tg_rundir_has(r, "state.safetensors"));
    tg_rundir_close(r);
}

/* A full disk while saving: the message says so, and the last save can be read. */
TEST(a_save_that_fails_leaves_the_last_one)
{
    kept k;
    kept_new(&k, test_folder(), false);
    steps(&k, 2);
    CHECK_OK(tg_checkpoint_save(&k.saver));
    for (int call = 1; call < 60; call++) {
        char spec[64];
        steps(&k, 1);
        snprintf(spec, sizeof spec, "write:%d:ENOSPC", call);
        tg_fault_set(spec);
        tg_status s = tg_checkpoint_save(&k.saver);
        tg_fault_set(NULL);
        if (!s) {
            CHECK(call > 2);
            kept_free(&k);
            return;
        }
        CHECK_INT(s, TG_EIO);
        test_has(__FILE__, __LINE__, tg_error(), "No space left on device");
        load(&k, "state.safetensors");
        CHECK_INT(k.b.loop->place.step, 2);
    }
    test_failed(__FILE__, __LINE__, "saving never succeeds");
}
