/* bits.c - one division each. */
#include "run/metrics/bits.h"

#include <math.h>

static const double ln2 = 0.69314718055994531;

double tg_bits_per_char(const tg_dataset *d, tg_split s, double nats)
{
    return nats / ln2 / tg_dataset_chars_per_token(d, s);
}

double tg_bits_per_byte(const tg_dataset *d, tg_split s, double nats)
{
    return nats / ln2 / tg_dataset_bytes_per_token(d, s);
}

double tg_bits_per_dim(const tg_model_data *data, double nats)
{
    return nats / ln2 / (double)tg_model_data_size(data);
}

double tg_perplexity(double nats)
{
    return exp(nats);
}
