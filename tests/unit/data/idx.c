/* idx.c - tests of IDX: sizes against bytes. */
#include "data/codec/idx.h"

#include <string.h>

#include "base/alloc.h"
#include "data/codec/gzip.h"
#include "support/shared.h"
#include "test.h"

#define READ(bytes) tg_idx_read((const uint8_t *)(bytes), (int64_t)sizeof(bytes) - 1, "x.idx", &idx)

TEST(idx_gives_sizes_and_bytes)
{
    tg_idx idx;
    CHECK_OK(READ("\0\0\x08\x03" "\0\0\0\x02" "\0\0\0\x01" "\0\0\0\x03" "abcdef"));
    CHECK_INT(idx.rank, 3);
    CHECK_INT(idx.dims[0], 2);
    CHECK_INT(idx.dims[1], 1);
    CHECK_INT(idx.dims[2], 3);
    CHECK_INT(idx.count, 6);
    CHECK_BYTES(idx.data, "abcdef", 6);
    CHECK_OK(READ("\0\0\x08\x01" "\0\0\0\0"));
    CHECK_INT(idx.count, 0);
    CHECK_OK(READ("\0\0\x08\x02" "\0\0\0\0" "\xff\xff\xff\xff"));
    CHECK_INT(idx.dims[1], 0xffffffff);
    CHECK_INT(idx.count, 0);
}

TEST(idx_that_is_none_says_why)
{
    tg_idx idx = {.rank = 77};
    CHECK_ERROR(READ(""), TG_EFORMAT, "x.idx: no IDX file");
    CHECK_ERROR(READ("\0\1\x08\x01" "\0\0\0\0"), TG_EFORMAT, "no IDX file");
    CHECK_ERROR(READ("\0\0\x08\0"), TG_EFORMAT, "no IDX file");
    CHECK_ERROR(READ("\0\0\x08\x09" "0000" "0000" "0000" "0000" "0000" "0000" "0000" "0000" "0000"), TG_EFORMAT, "no IDX file");
    CHECK_ERROR(READ("\0\0\x0a\x01" "\0\0\0\0"), TG_EFORMAT, "no IDX file");
    CHECK_ERROR(READ("\0\0\x0d\x01" "\0\0\0\1" "abcd"), TG_EUNSUPPORTED, "of f32 elements");
    CHECK_ERROR(READ("\0\0\x08\x02" "\0\0\0\1" "\0\0\0"), TG_EFORMAT, "cut short at byte 11, in its sizes");
    CHECK_ERROR(READ("\0\0\x08\x01" "\0\0\0\3" "ab"), TG_EFORMAT, "make 3 bytes from byte 8 on, but there are 2: cut short");
    CHECK_ERROR(READ("\0\0\x08\x01" "\0\0\0\1" "ab"), TG_EFORMAT, "make 1 bytes from byte 8 on, but there are 2");
    CHECK_ERROR(READ("\0\0\x08\x03" "\xff\xff\xff\xff" "\xff\xff\xff\xff" "\xff\xff\xff\xff" "a"), TG_EFORMAT,
                "than any file holds");
    CHECK_ERROR(READ("\0\0\x08\x03" "\xff\xff\xff\xff" "\xff\xff\xff\xff" "\0\0\0\0" "a"), TG_EFORMAT, "than any file holds");
    CHECK_ERROR(READ("\0\0\x08\x02" "\xff\xff\xff\xff" "\0\0\0\0" "a"), TG_EFORMAT, "there are 1");
    CHECK_INT(idx.rank, 77);
}

TEST(idx_with_any_bit_flipped_is_never_read_beyond_its_end)
{
    static const char whole[] = "\0\0\x08\x02" "\0\0\0\x02" "\0\0\0\x02" "abcd";
    for (int size = 0; size < (int)sizeof whole; size++)
        for (int bit = 0; bit < 8 * size; bit++) {
            uint8_t *bytes = tg_alloc_raw(size);
            tg_idx idx;
            memcpy(bytes, whole, (size_t)size);
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            if (!tg_idx_read(bytes, size, "x", &idx)) CHECK(idx.count == 0 || idx.data + idx.count == bytes + size);
            tg_free(bytes);
        }
}

TEST(mnist_is_read)
{
    int64_t size, length;
    char *packed = shared_text("image/mnist/t10k-labels-idx1-ubyte.gz", &size);
    uint8_t *bytes;
    tg_idx idx;
    CHECK_OK(tg_gunzip((const uint8_t *)packed, size, 1 << 20, "labels", &bytes, &length));
    CHECK(tg_idx_known(bytes, length));
    CHECK_OK(tg_idx_read(bytes, length, "labels", &idx));
    CHECK_INT(idx.rank, 1);
    CHECK_INT(idx.dims[0], 10000);
    CHECK_INT(idx.data[0], 7);
    tg_free(bytes);
    tg_free(packed);
}
