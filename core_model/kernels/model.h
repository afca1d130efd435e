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
    uint16_t* keys;    // bf16 [layers, blocks, kv_heads, head_dim, 16]
    uint16_t* values;  // bf16 [layers, blocks, kv_heads, 16, head_dim]
    int64_t blocks;
};

}  // namespace duet
