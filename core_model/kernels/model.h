// What the kernels are told about a model, a cache and a batch. Plain C structures: library.py mirrors them.
#pragma once

#include "linear.h"

namespace duet {

struct Layer {
    Weight qkv;      // rows of q, k and v, one after another
    Weight output;
    Weight gate_up;  // 64 rows of gate, 64 rows of up, and so on
    Weight down;
    const float* input_norm;
    const float* post_attention_norm;
};

struct Model {
    int32_t layers, hidden, intermediate, heads, kv_heads, head_dim, vocab;
    float rms_eps;
    const Layer* layer;
    const float* norm;
    Weight head;
    const int8_t* embedding;           // [vocab, embedding_groups * 64]
    const uint16_t* embedding_scales;  // fp16 [vocab, embedding_groups]
    int32_t embedding_groups;

    int kv_width() const { return kv_heads * head_dim; }
    int q_width() const { return heads * head_dim; }
};

enum CacheForm { CACHE_BF16, CACHE_INT8, CACHE_INT4 };  // int4: keys in 8 bits, values in 4

struct Cache {
    int32_t form;
    int32_t seats;
    int64_t blocks;
    void* keys;              // bf16 or int8 [layers, blocks, kv_heads, head_dim, 16]
    void* values;            // bf16 or int8 [layers, blocks, kv_heads, 16, head_dim], or 4 bits [.., head_dim / 2]
    uint8_t* key_scales;     // [layers, blocks, kv_heads, head_dim], null for bf16 as all below
    uint16_t* value_scales;  // bf16 [layers, blocks, kv_heads, 1 or 2 (with minima), 16]
    uint16_t* tail_keys;     // bf16 [layers, 2 * seats, kv_heads, head_dim, 16]
    uint16_t* tail_values;   // bf16 [layers, 2 * seats, kv_heads, 16, head_dim]
};

// What a row attends to beyond 8K positions (sparse_attention.py).
struct SparseBudget {
    int32_t local;     // latest positions, exactly
    int32_t chosen;    // blocks of the past before them
    int32_t beam;      // spans that are opened on each level
    int32_t channels;  // channels that bounds are scored with
    float spread;      // how far a key may lie from the middle of its bounds: 0 not at all, 1 up to them
};

struct Batch {
    int32_t rows, sequences, blocks_per_sequence, outputs;
    const int32_t* tokens;        // [rows]
    const int32_t* positions;     // [rows]
    const int32_t* row_sequence;  // [rows]
    const int32_t* slots;         // [rows]
    const int32_t* block_tables;  // [sequences, blocks_per_sequence]
    const int32_t* windows;       // [sequences]
    const int32_t* adapters;      // [sequences], -1 for none
    const int64_t* output_rows;   // [outputs]
    const float* cos;             // [positions, head_dim / 2]
    const float* sin;
    const int32_t* seats;        // [sequences], where a sequence's tails lie in the cache
    const int32_t* sparse_from;  // [sequences], first position that attends sparsely
    uint16_t* const* trees;      // [sequences], bf16 [layers, kv_heads, groups, head_dim, 2, 16]; null without
    const int32_t* capacities;   // [sequences], blocks that a tree has room for
    int32_t* summarised;         // [sequences], blocks that a tree holds already
    SparseBudget budget;
    Cache cache;
};

}  // namespace duet
