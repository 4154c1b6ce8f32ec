/* safetensors.c - tests of the container: what was written comes back, nothing else is believed. */
#include "data/codec/safetensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/str.h"
#include "support/shared.h"
#include "test.h"

/* ---- helpers */

/* A file's bytes from a header text and so many data bytes (0, 1, 2 ...). */
static char *bytes_of(const char *header, int64_t data, int64_t *length)
{
    int64_t n = (int64_t)strlen(header);
    char *bytes = tg_alloc(8 + n + data + 1);
    for (int i = 0; i < 8; i++) bytes[i] = (char)((uint64_t)n >> 8 * i);
    memcpy(bytes + 8, header, (size_t)n);
    for (int64_t i = 0; i < data; i++) bytes[8 + n + i] = (char)i;
    *length = 8 + n + data;
    return bytes;
}

static tg_status parse_header(const char *header, int64_t data)
{
    int64_t length;
    char *bytes = bytes_of(header, data, &length);
    tg_safetensors *s = NULL;
    tg_status status = tg_safetensors_parse("x.safetensors", bytes, length, length, &s);
    tg_safetensors_close(s);
    tg_free(bytes);
    return status;
}

static char *in_folder(const char *name)
{
    return tg_path_join(test_folder(), name);
}

static const float numbers[6] = {1.5f, -2, 3e-30f, 4, 5, 6};
static const uint8_t small[3] = {7, 8, 9};

static void write_own(const char *path, char sha[65])
{
    uint64_t big[1] = {UINT64_C(0x0123456789abcdef)};
    tg_st_row rows[] = {
        {"numbers", TG_ST_F32, 2, {2, 3}, numbers}, {"small", TG_ST_U8, 1, {3}, small},
        {"none", TG_ST_I32, 2, {0, 5}, NULL},       {"scalar", TG_ST_U64, 0, {0}, big},
    };
    CHECK_OK(tg_safetensors_write(path, rows, 4, "{\"format\":\"test\"}", NULL, NULL, sha));
}

/* ---- good files */

TEST(safetensors_that_were_written_come_back)
{
    char *path = in_folder("a.safetensors"), sha[65], again[65], *bytes;
    write_own(path, sha);
    tg_safetensors *s;
    CHECK_OK(tg_safetensors_open(path, &s));
    CHECK_INT(tg_safetensors_count(s), 4);
    CHECK_TEXT(tg_safetensors_meta_text(s), "{\"format\":\"test\"}");
    CHECK_TEXT(tg_json_text(tg_safetensors_meta(s), "format"), "test");
    const tg_st_tensor *t = tg_safetensors_find(s, "numbers");
    CHECK(t && t->dtype == TG_ST_F32 && t->rank == 2 && t->dims[0] == 2 && t->dims[1] == 3 && t->count == 6);
    CHECK_INT(t->offset % 8, 0);
    float back[6];
    CHECK_OK(tg_safetensors_read(s, t, back));
    CHECK_BYTES(back, numbers, sizeof back);
    CHECK_OK(tg_safetensors_read_part(s, t, 2, 3, back));
    CHECK_BYTES(back, numbers + 2, 3 * sizeof back[0]);
    CHECK_ERROR(tg_safetensors_read_part(s, t, 4, 3, back), TG_EINVAL, "numbers");
    CHECK_ERROR(tg_safetensors_read_part(s, t, -1, 1, back), TG_EINVAL, "numbers");
    t = tg_safetensors_find(s, "scalar");
    uint64_t big = 0;
    CHECK(t && t->rank == 0 && t->count == 1);
    CHECK_OK(tg_safetensors_read(s, t, &big));
    CHECK(big == UINT64_C(0x0123456789abcdef));
    t = tg_safetensors_find(s, "none");
    CHECK(t && t->count == 0 && t->bytes == 0);
    CHECK_OK(tg_safetensors_read(s, t, NULL));
    CHECK(!tg_safetensors_find(s, "other") && !tg_safetensors_at(s, 4) && !tg_safetensors_at(s, -1));
    tg_safetensors_close(s);
    int64_t length;
    CHECK_OK(tg_file_slurp(path, 1 << 20, &bytes, &length));
    tg_sha256_hex(bytes, length, again);
    CHECK_TEXT(sha, again);
    tg_free(bytes);
    tg_free(path);
    CHECK_INT(tg_alloc_live(), 0);
}

typedef struct source { const uint16_t *data; int64_t calls; int64_t change_at; } source;

static tg_status fill(void *user, int64_t row, int64_t first, int64_t count, void *out)
{
    source *s = user;
    CHECK_INT(row, 0);
    memcpy(out, s->data + first, (size_t)count * 2);
    if (++s->calls == s->change_at) ((char *)out)[0] ^= 1;
    return TG_OK;
}

TEST(safetensors_take_rows_part_by_part)
{
    enum { N = 1300000 }; /* 2.6 MB: three parts */
    char *a = in_folder("a.safetensors"), *b = in_folder("b.safetensors"), sha_a[65], sha_b[65];
    uint16_t *data = tg_alloc_array(N, sizeof *data);
    for (int i = 0; i < N; i++) data[i] = (uint16_t)(i * 2654435761u >> 7);
    tg_st_row row = {"x", TG_ST_U16, 1, {N}, data};
    CHECK_OK(tg_safetensors_write(a, &row, 1, "{}", NULL, NULL, sha_a));
    row.data = NULL;
    source s = {data, 0, 0};
    CHECK_OK(tg_safetensors_write(b, &row, 1, "{}", fill, &s, sha_b));
    CHECK_INT(s.calls, 6);
    CHECK_TEXT(sha_a, sha_b);
    s = (source){data, 0, 5}; /* another byte in the second pass: the checksum would lie */
    CHECK_ERROR(tg_safetensors_write(b, &row, 1, "{}", fill, &s, sha_b), TG_EINVAL, "changed while");
    tg_safetensors *back;
    CHECK_OK(tg_safetensors_open(b, &back)); /* the old one still stands */
    uint16_t *read = tg_alloc_array(N, sizeof *read);
    CHECK_OK(tg_safetensors_read(back, tg_safetensors_at(back, 0), read));
    CHECK_BYTES(read, data, N * 2);
    tg_safetensors_close(back);
    row.data = NULL;
    CHECK_ERROR(tg_safetensors_write(b, &row, 1, "{}", NULL, NULL, NULL), TG_EINVAL, "x");
    row.dtype = TG_ST_OTHER;
    CHECK_ERROR(tg_safetensors_write(b, &row, 1, "{}", fill, &s, NULL), TG_EINVAL, "x");
    tg_free(read);
    tg_free(data);
    tg_free(a);
    tg_free(b);
}

TEST(foreign_safetensors_open)
{
    static const struct { const char *file, *tensor; int count, rank; int64_t first; tg_st_dtype dtype; } known[] = {
        {"model/two_linear_git_tag.safetensors", NULL, 4, 2, 20, TG_ST_F32},
        {"model/burn_multi_layer.safetensors", "norm1.num_batches_tracked", 9, 0, 0, TG_ST_I64},
        {"model/encodec_jfk_codes.safetensors", "codes", 1, 3, 1, TG_ST_I64},
    };
    for (int i = 0; i < 3; i++) {
        tg_safetensors *s;
        CHECK_OK(tg_safetensors_open(shared(known[i].file), &s));
        CHECK_INT(tg_safetensors_count(s), known[i].count);
        CHECK(!tg_safetensors_meta(s));
        const tg_st_tensor *t = known[i].tensor ? tg_safetensors_find(s, known[i].tensor) : tg_safetensors_at(s, 0);
        CHECK(t && t->dtype == known[i].dtype);
        void *data = tg_alloc(t->bytes);
        CHECK_OK(tg_safetensors_read(s, t, data));
        if (known[i].rank == 3) CHECK(t->dims[0] == 1 && t->dims[1] == 2 && t->dims[2] == 828);
        tg_free(data);
        tg_safetensors_close(s);
    }
}

TEST(all_types_of_the_format_are_known)
{
    static const char *const names[] = {"BOOL 1", "U8 1", "I8 1", "F8_E4M3 1", "F8_E5M2 1", "I16 2", "U16 2", "F16 2",
                                        "BF16 2", "I32 4", "U32 4", "F32 4", "F64 8", "I64 8", "U64 8"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char header[200], type[10];
        int size;
        CHECK_INT(sscanf(names[i], "%9s %d", type, &size), 2);
        snprintf(header, sizeof header, "{\"a\":{\"dtype\":\"%s\",\"shape\":[3],\"data_offsets\":[0,%d]}}", type,
                 3 * size);
        CHECK_OK(parse_header(header, 3 * size));
    }
    CHECK_ERROR(parse_header("{\"a\":{\"dtype\":\"F4\",\"shape\":[2],\"data_offsets\":[0,1]}}", 1), TG_EFORMAT,
                "unknown type F4");
    CHECK_ERROR(parse_header("{\"a\":{\"dtype\":\"f32\",\"shape\":[],\"data_offsets\":[0,4]}}", 4), TG_EFORMAT,
                "unknown type");
}

/* ---- damage */

static tg_status read_all(const char *path)
{
    tg_safetensors *s;
    tg_status status = tg_safetensors_open(path, &s);
    if (status) return status;
    for (int64_t i = 0; !status && i < tg_safetensors_count(s); i++) {
        const tg_st_tensor *t = tg_safetensors_at(s, i);
        void *data = tg_alloc(t->bytes);
        status = tg_safetensors_read(s, t, data);
        tg_free(data);
    }
    tg_safetensors_close(s);
    return status;
}

static tg_status parse_bytes(const char *bytes, int64_t length)
{
    tg_safetensors *s = NULL;
    tg_status status = tg_safetensors_parse("bad.safetensors", bytes, length, length, &s);
    tg_safetensors_close(s);
    return status;
}

/* Every bit: length, checksum digits, metadata, names, offsets, padding (in memory), data (through the file). */
TEST(no_flipped_bit_of_our_own_safetensors_is_overlooked)
{
    char *good = in_folder("good.safetensors"), *bad = in_folder("bad.safetensors"), sha[65], *bytes;
    int64_t length;
    write_own(good, sha);
    CHECK_OK(read_all(good));
    CHECK_OK(tg_file_slurp(good, 1 << 20, &bytes, &length));
    CHECK_OK(parse_bytes(bytes, length));
    const int64_t data = length - (24 + 3 + 8);
    for (int64_t bit = 0; bit < length * 8; bit++) {
        bytes[bit / 8] ^= (char)(1 << bit % 8);
        tg_status status;
        if (bit / 8 < data) status = parse_bytes(bytes, length);
        else if (bit % 7) status = TG_OK;
        else {
            CHECK_OK(tg_write_file(bad, bytes, length));
            status = read_all(bad);
        }
        bool tried = bit / 8 < data || bit % 7 == 0;
        if (tried && status != TG_EFORMAT) test_failed(__FILE__, __LINE__, "bit %d: status %d", (int)bit, status);
        if (tried) test_has(__FILE__, __LINE__, tg_error(), "bad.safetensors");
        bytes[bit / 8] ^= (char)(1 << bit % 8);
    }
    bytes[length - 1] ^= 1;
    CHECK_OK(tg_write_file(bad, bytes, length));
    CHECK_ERROR(read_all(bad), TG_EFORMAT, "tensor scalar is damaged");
    tg_free(bytes);
    tg_free(good);
    tg_free(bad);
    CHECK_INT(tg_alloc_live(), 0);
}

TEST(truncated_and_lengthened_safetensors_are_refused)
{
    char *good = in_folder("good.safetensors"), *bad = in_folder("bad.safetensors"), sha[65], *bytes;
    int64_t length;
    write_own(good, sha);
    CHECK_OK(tg_file_slurp(good, 1 << 20, &bytes, &length));
    for (int64_t n = 0; n < length; n++) CHECK_ERROR(parse_bytes(bytes, n), TG_EFORMAT, "bad.safetensors");
    for (int64_t n = 0; n < length; n += 1 + n / 3) {
        CHECK_OK(tg_write_file(bad, bytes, n));
        CHECK_ERROR(read_all(bad), TG_EFORMAT, "bad.safetensors");
    }
    CHECK_OK(tg_write_file(bad, bytes, length - 1));
    CHECK_ERROR(read_all(bad), TG_EFORMAT, "cut short");
    CHECK_OK(tg_write_file(bad, bytes, length + 1)); /* slurp puts a NUL there */
    CHECK_ERROR(read_all(bad), TG_EFORMAT, "1 bytes too long");
    tg_free(bytes);
    tg_free(good);
    tg_free(bad);
}

/* One of our three metadata keys without the others: not a foreign file but a damaged one. */
TEST(a_part_of_our_metadata_is_damage)
{
    static const char tail[] = "\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}";
    static const char *const parts[] = {"\"tinygen\":\"{}\"", "\"xxh64\":\"{}\"",
                                        "\"xxh64.header\":\"0123456789abcdef\"",
                                        "\"format\":\"pt\",\"tinygen\":\"{}\",\"xxh64\":\"{}\",\"xxh64.header\":\"0\""};
    char header[400];
    for (int i = 0; i < 4; i++) {
        snprintf(header, sizeof header, "{\"__metadata__\":{%s},%s", parts[i], tail);
        CHECK_ERROR(parse_header(header, 1), TG_EFORMAT, "header is damaged");
    }
    snprintf(header, sizeof header, "{\"__metadata__\":{\"format\":\"pt\"},%s", tail);
    CHECK_OK(parse_header(header, 1));
}

/* ---- lies */

#define TENSOR(name, shape, begin, end) \
    "\"" name "\":{\"dtype\":\"U8\",\"shape\":" shape ",\"data_offsets\":[" #begin "," #end "]}"

TEST(lying_headers_are_refused)
{
    static const struct { const char *header; int data; const char *says;
    } bad[] = {
        {"{" TENSOR("a", "[4]", 0, 4) "," TENSOR("b", "[4]", 3, 7) "}", 7, "an overlap before tensor b"},
        {"{" TENSOR("a", "[4]", 0, 4) "," TENSOR("b", "[4]", 0, 4) "}", 4, "an overlap"},
        {"{" TENSOR("a", "[4]", 0, 4) "," TENSOR("b", "[4]", 5, 9) "}", 9, "a hole before tensor b"},
        {"{" TENSOR("a", "[4]", 1, 5) "}", 5, "a hole before tensor a"},
        {"{" TENSOR("a", "[4]", 0, 4) "}", 5, "1 bytes too long"},
        {"{" TENSOR("a", "[4]", 0, 4) "}", 3, "cut short"},
        {"{" TENSOR("a", "[4]", 0, 5) "}", 5, "spans 5 bytes"},
        {"{" TENSOR("a", "[4]", 4, 0) "}", 4, "no proper data_offsets"},
        {"{" TENSOR("a", "[-4]", 0, 4) "}", 4, "not made of counts"},
        {"{" TENSOR("a", "[4.0]", 0, 4) "}", 4, "not made of counts"},
        {"{" TENSOR("a", "[\"4\"]", 0, 4) "}", 4, "not made of counts"},
        {"{" TENSOR("a", "4", 0, 4) "}", 4, "has no shape"},
        {"{" TENSOR("a", "[1,1,1,1,1,1,1,1,4]", 0, 4) "}", 4, "9 dimensions"},
        {"{" TENSOR("a", "[4294967296,4294967296]", 0, 0) "}", 0, "larger than any file"},
        {"{" TENSOR("a", "[1099511627776,1099511627776,0]", 0, 0) "}", 0, "larger than any file"},
        {"{" TENSOR("a", "[9223372036854775807]", 0, 9223372036854775807) "}", 4, "cut short"},
        {"{" TENSOR("a", "[9223372036854775808]", 0, 4) "}", 4, "not made of counts"},
        {"{\"a\":{\"dtype\":\"F64\",\"shape\":[2305843009213693952],\"data_offsets\":[0,0]}}", 0, "which its shape"},
        {"{" TENSOR("a", "[4]", 0, 4) "," TENSOR("a", "[4]", 4, 8) "}", 8, "stood in the object before"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"shape\":[1],\"data_offsets\":[0,1]}}", 1,
         "stood in the object before"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1],\"more\":1}}", 1, "not described by"},
        {"{\"a\":{\"shape\":[1],\"data_offsets\":[0,1],\"more\":1}}", 1, "unknown type (none)"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0]}}", 1, "no proper data_offsets"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1,2]}}", 1, "no proper data_offsets"},
        {"{\"a\":7}", 1, "not described by"},
        {"{\"__metadata__\":[]}", 0, "not an object"},
        {"{\"__metadata__\":{\"a\":1}}", 0, "not a text"},
        {"[1]", 0, "no JSON header"},
        {"{\"a\":", 0, "x.safetensors"},
        {"{}x", 0, "x.safetensors"},
        {" {}", 0, "no JSON header"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        tg_status status = parse_header(bad[i].header, bad[i].data);
        if (status != TG_EFORMAT) test_failed(__FILE__, __LINE__, "%s: status %d", bad[i].header, status);
        test_has(__FILE__, __LINE__, tg_error(), bad[i].says);
    }
    CHECK_OK(parse_header("{}", 0));
    CHECK_OK(parse_header("{" TENSOR("a", "[0,7]", 0, 0) "," TENSOR("b", "[4]", 0, 4) "}  ", 4));
    CHECK_OK(parse_header("{" TENSOR("b", "[4]", 2, 6) "," TENSOR("a", "[1,2]", 0, 2) "}", 6));
}

TEST(lengths_of_the_header_are_not_believed)
{
    static const uint64_t lengths[] = {0, 1, 100000001, UINT64_C(1) << 32, UINT64_C(1) << 63, UINT64_MAX, 3, 1000};
    char bytes[10] = {0};
    tg_safetensors *s;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        for (int k = 0; k < 8; k++) bytes[k] = (char)(lengths[i] >> 8 * k);
        memcpy(bytes + 8, "{}", 2);
        CHECK_INT(tg_safetensors_parse("x.safetensors", bytes, 10, 10, &s), TG_EFORMAT);
        CHECK_INT(tg_safetensors_parse("x.safetensors", bytes, 10, INT64_MAX, &s), TG_EFORMAT);
    }
    for (int64_t n = 0; n < 8; n++)
        CHECK_ERROR(tg_safetensors_parse("x.safetensors", bytes, n, n, &s), TG_EFORMAT, "too few");
}

TEST(long_names_are_refused)
{
    tg_str header = {0};
    for (int length = 1024; length <= 1025; length++) {
        tg_str_clear(&header);
        tg_str_add(&header, "{\"");
        for (int i = 0; i < length; i++) tg_str_add(&header, "n");
        tg_str_add(&header, "\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}");
        if (length == 1024) CHECK_OK(parse_header(header.data, 1));
        else CHECK_ERROR(parse_header(header.data, 1), TG_EFORMAT, "longer than 1024");
    }
    tg_str_free(&header);
}

/* Each allocation fails in turn: a status, no crash, nothing leaks. */
TEST(safetensors_survive_want_of_memory)
{
    char *path = in_folder("a.safetensors"), sha[65];
    write_own(path, sha);
    int64_t live = tg_alloc_live(), n = 1;
    for (;; n++) {
        tg_safetensors *s = NULL;
        tg_alloc_fail_at(n, false);
        tg_status status = tg_safetensors_open(path, &s);
        tg_alloc_fail_at(0, false);
        if (status == TG_OK) {
            tg_safetensors_close(s);
            break;
        }
        CHECK_INT(status, TG_ENOMEM);
        CHECK_INT(tg_alloc_live(), live);
    }
    CHECK(n > 4);
    tg_free(path);
}
