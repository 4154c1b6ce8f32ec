/*
 * tinygen.h - small generative models, from bytes on disk to samples, in plain C.
 *
 * The layers, lowest first; each header opens with an example of its own:
 *     tinygen/base.h       status and messages, the context, option rows
 *     tinygen/tensor.h     shapes, tensors
 *     tinygen/autograd.h   the tape and its ops
 *     tinygen/nn.h         parameters, optimisers, schedules
 *     tinygen/data.h       corpora, datasets, tokenisers, batches
 *     tinygen/model.h      descriptors, choosing a token
 *     tinygen/run.h        one call per step: collect, preprocess, train, sample
 */
#ifndef TINYGEN_H
#define TINYGEN_H

#include "tinygen/run.h"

#endif
