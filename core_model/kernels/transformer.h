// The forward pass of all layers as one job of the thread pool. The same steps in plain torch: decoder.py.
#pragma once

#include <memory>

#include "lora.h"
#include "sparse.h"
#include "thread_pool.h"

namespace duet {

// Rows that go through the layers together: their int8 activations fit the second-level cache.
constexpr int MAX_ROWS = 144;
// Rows x segments of attention whose results are kept apart.
constexpr int MAX_PARTIALS = 1024;

class Transformer {
  public:
    Transformer(const Model& model, int threads)
        : adapters(model.layers),
          model_(model),
          layers_(model.layer, model.layer + model.layers),
          pool_(threads),
          qkv_width_(model.layer[0].qkv.tiles * LANES),
          hidden_width_(model.head.groups * GROUP),
          attended_width_(model.layer[0].output.groups * GROUP),
          intermediate_width_(model.layer[0].down.groups * GROUP),
          x_(MAX_ROWS * hidden_width_),
          normed_(MAX_ROWS * std::max(hidden_width_, attended_width_)),
          qkv_(MAX_ROWS * qkv_width_),
          sink_queries_(MAX_ROWS * model.q_width()),
          partial_out_(MAX_PARTIALS * model.q_width()),
          activated_(MAX_ROWS * intermediate_width_),
          partials_(MAX_PARTIALS * model.heads),
          row_adapters_(MAX_ROWS),
          counters_(model.layers * 16 + 16),
          quantized_(MAX_ROWS, std::max(hidden_width_, attended_width_) / GROUP),
          quantized_wide_(MAX_ROWS, intermediate_width_ / GROUP) {}

    // The final hidden states of batch.output_rows into out [outputs, hidden]; fills the cache.
    void forward(const Batch& batch, float* out) {
        for (int start = 0; start < batch.rows; start += MAX_ROWS) {
            batch_ = &batch;
            start_ = start;
            rows_ = std::min(MAX_ROWS, batch.rows - start);
            prepare();
            pool_.run([&](int thread) { run(thread, out); });
            for (int sequence = 0; sequence < batch.sequences; sequence++)
                if (batch.trees[sequence] && lasts_[sequence] >= 0)
                    batch.summarised[sequence] = std::max(batch.summarised[sequence], first_local(lasts_[sequence]));
        }
    }

    // hidden [rows, hidden] -> out [rows, head tiles * 16].
    void logits(const float* hidden, int rows, float* out) {
        for (int start = 0; start < rows; start += MAX_ROWS) {
            rows_ = std::min(MAX_ROWS, rows - start);
            reset_counters();
            quantized_.shape(rows_, model_.head.groups);
            pool_.run([&](int thread) {
                Phases phases{*this, thread};
                phases.parallel(rows_, 1, [&](int row) {
                    float* padded = &normed_[static_cast<size_t>(row) * hidden_width_];
                    std::copy_n(hidden + static_cast<size_t>(start + row) * model_.hidden, model_.hidden, padded);
                    std::fill(padded + model_.hidden, padded + hidden_width_, 0.0f);
                    quantized_.quantize_row(row, padded);
                });
                const size_t width = static_cast<size_t>(model_.head.tiles) * LANES;
                multiply(phases, model_.head, quantized_, [&](int row, int tile, F value) {
                    simd::store(out + (start + row) * width + tile * LANES, value);
                });
            });
        }
    }

    Adapters adapters;

  private:
    // Deals out the items of one parallel step after another; every thread has its own and goes the same way.
    struct Phases {
        Transformer& self;
        int thread;
        int next = 0;

        template <class Item>
        void parallel(int items, int at_once, const Item& item) {
            std::atomic<int>& counter = self.counters_[next++].value;
            int begin;
            while ((begin = counter.fetch_add(at_once, std::memory_order_relaxed)) < items)
                for (int i = begin; i < std::min(items, begin + at_once); i++) item(i);
            self.pool_.barrier(thread);
        }
    };

    struct alignas(64) Counter {
        std::atomic<int> value{0};
    };

    void reset_counters() {
        for (Counter& counter : counters_) counter.value.store(0, std::memory_order_relaxed);
    }

    void prepare() {
        reset_counters();
        has_adapters_ = has_windows_ = false;
        tiles_.clear();
        const int group = model_.heads / model_.kv_heads, limit = std::max(1, MAX_QUERIES / group);
        for (int row = 0; row < rows_; row++) {
            const int sequence = batch_->row_sequence[start_ + row];
            row_adapters_[row] = adapters.find(batch_->adapters[sequence]);
            has_adapters_ |= row_adapters_[row] != nullptr;
            has_windows_ |= batch_->windows[sequence] > 0;
            const bool sparse = attends_sparsely(row);
            if (!tiles_.empty() && !sparse && !tiles_.back().sparse && tiles_.back().sequence == sequence &&
                tiles_.back().rows < limit)
                tiles_.back().rows++;
            else
                tiles_.push_back({row, 1, sequence, sparse});
        }
        find_pieces();
        low_rank_.resize(has_adapters_ ? static_cast<size_t>(MAX_ROWS) * MODULES * adapters.max_rank() : 0);
        // Segments of few rows are dealt out one by one; of many rows, tiles alone are work enough.
        int longest = 1;
        for (const RowTile& tile : tiles_) longest = std::max(longest, parts(tile));
        segments_apart_ = longest * rows_ <= MAX_PARTIALS ? longest : 1;
    }

    // The first block that a position sees anyway. No tree holds it or later ones: tokens that are taken back lie there.
    int first_local(int position) const { return std::max(0, position - batch_->budget.local + 1) / BLOCK; }

    bool attends_sparsely(int row) const {
        const int sequence = batch_->row_sequence[start_ + row], position = batch_->positions[start_ + row];
        return batch_->trees[sequence] && position >= batch_->sparse_from[sequence] &&
               first_local(position) - 1 > batch_->budget.chosen;
    }

    // The pieces of blocks that the rows write, and the block that each sequence leaves unfilled.
    void find_pieces() {
        pieces_.clear();
        lasts_.assign(batch_->sequences, -1);
        for (int row = 0; row < rows_; row++) {
            const int sequence = batch_->row_sequence[start_ + row], position = batch_->positions[start_ + row];
            if (pieces_.empty() || pieces_.back().sequence != sequence || position % BLOCK == 0)
                pieces_.push_back({row, 1, sequence});
            else
                pieces_.back().rows++;
            lasts_[sequence] = position;
        }
        has_trees_ = std::any_of(batch_->trees, batch_->trees + batch_->sequences, [](uint16_t* tree) { return tree; });
    }

    CacheHead cache_head(int sequence, int layer, int head) const {
        const int last = lasts_[sequence];
        return {batch_->cache, model_, layer, head,
                batch_->block_tables + static_cast<size_t>(sequence) * batch_->blocks_per_sequence,
                batch_->seats[sequence], last % BLOCK == BLOCK - 1 ? -1 : last / BLOCK};
    }

    SpanTree tree(int sequence, int layer, int head) const {
        const int capacity = batch_->capacities[sequence];
        const size_t size = SpanTree::groups(capacity) * model_.head_dim * 2 * FAN_OUT;
        return {batch_->trees[sequence] + (static_cast<size_t>(layer) * model_.kv_heads + head) * size, capacity,
                model_.head_dim};
    }

    VisibleBlocks visible(const RowTile& tile) const {
        const int32_t* positions = batch_->positions + start_ + tile.row;
        return {positions[0], positions[tile.rows - 1], batch_->windows[tile.sequence]};
    }

    // How many parts the attention of a tile can be dealt out in.
    int parts(const RowTile& tile) const { return tile.sparse ? 1 : visible(tile).segments(); }

    float* low_rank(int row, int module) {
        return &low_rank_[(static_cast<size_t>(row) * MODULES + module) * adapters.max_rank()];
    }

    const Pair* pair_of(int row, int layer, int module) const {
        const Adapter* adapter = row_adapters_[row];
        return adapter ? &(*adapter)[static_cast<size_t>(layer) * MODULES + module] : nullptr;
    }

    F with_adapter(int row, int layer, int module, int column, F value) {
        const Pair* pair = has_adapters_ ? pair_of(row, layer, module) : nullptr;
        return pair ? project_up(*pair, column, low_rank(row, module), value) : value;
    }

    // A x of modules [first, last] for the rows that have an adapter; x [rows, width].
    void apply_adapters(Phases& phases, int layer, int first, int last, const float* x, int width) {
        if (!has_adapters_) return;
        const int modules = last - first + 1, parts = (adapters.max_rank() + RANKS - 1) / RANKS;
        phases.parallel(rows_ * modules * parts, 4, [&](int item) {
            const int row = item / (modules * parts), module = first + item / parts % modules;
            const Pair* pair = pair_of(row, layer, module);
            const int rank = item % parts * RANKS;
            if (pair && rank < pair->rank)
                project_down(*pair, rank, x + static_cast<size_t>(row) * width, low_rank(row, module));
        });
    }

    template <class Emit>
    void multiply(Phases& phases, const Weight& weight, const Activations& x, const Emit& emit) {
        const int at_once = std::max(1, weight.tiles / (pool_.threads() * 6));
        phases.parallel(weight.tiles, at_once, [&](int tile) {
            for (int block = 0; block < x.blocks(); block++)
                multiply_block(weight, tile, x, block, [&](int row, F value) { emit(row, tile, value); });
        });
    }

    void rms_norm(const float* x, const float* weight, float* out) const {
        F squares = simd::zero();
        for (int i = 0; i < model_.hidden; i += LANES) {
            const F value = simd::load(x + i);
            squares = simd::fma(value, value, squares);
        }
        const F scale = simd::set1(1.0f / std::sqrt(simd::sum(squares) / model_.hidden + model_.rms_eps));
        for (int i = 0; i < model_.hidden; i += LANES)
            simd::store(out + i, simd::mul(simd::mul(simd::load(x + i), scale), simd::load(weight + i)));
    }

    void embed(int row) {
        const int token = batch_->tokens[start_ + row], groups = model_.embedding_groups;
        const int8_t* codes = model_.embedding + static_cast<size_t>(token) * groups * GROUP;
        const uint16_t* scales = model_.embedding_scales + static_cast<size_t>(token) * groups;
        for (int i = 0; i < model_.hidden; i += LANES) {
            uint16_t scale[LANES];
            std::fill_n(scale, LANES, scales[i / GROUP]);
            simd::store(&x_[static_cast<size_t>(row) * hidden_width_ + i],
                        simd::mul(simd::load_int8(codes + i), simd::load_fp16(scale)));
        }
    }

    // Rotates the halves of a head by the angles of a position (arXiv 2104.09864).
    void rotate(const float* in, int position, float factor, float* out) const {
        const int half = model_.head_dim / 2;
        const float* cos = batch_->cos + static_cast<size_t>(position) * half;
        const float* sin = batch_->sin + static_cast<size_t>(position) * half;
        for (int i = 0; i < half; i += LANES) {
            const F a = simd::load(in + i), b = simd::load(in + half + i);
            const F c = simd::mul(simd::load(cos + i), simd::set1(factor));
            const F s = simd::mul(simd::load(sin + i), simd::set1(factor));
            simd::store(out + i, simd::sub(simd::mul(a, c), simd::mul(b, s)));
            simd::store(out + half + i, simd::add(simd::mul(b, c), simd::mul(a, s)));
        }
    }

    size_t cache_offset(int layer, int block, int head) const {
        const size_t index = (static_cast<size_t>(layer) * batch_->cache.blocks + block) * model_.kv_heads + head;
        return index * model_.head_dim * BLOCK;
    }

    // Rotates queries and keys of a row and writes its keys and values into the cache, if that is bfloat16.
    void rotate_and_store(int row, int layer) {
        const int head_dim = model_.head_dim, t = start_ + row;
        const int position = batch_->positions[t], window = batch_->windows[batch_->row_sequence[t]];
        const int seen_from = window ? std::min(position, window - 1) : position;
        float* q = &qkv_[static_cast<size_t>(row) * qkv_width_];
        const float factor = 1.0f / std::sqrt(static_cast<float>(head_dim));
        for (int head = 0; head < model_.heads; head++, q += head_dim) {
            if (has_windows_)
                rotate(q, seen_from, factor, &sink_queries_[static_cast<size_t>(row) * model_.q_width() + head * head_dim]);
            rotate(q, position, factor, q);
        }
        const int block = batch_->slots[t] / BLOCK, place = batch_->slots[t] % BLOCK;
        for (int head = 0; head < model_.kv_heads; head++) {
            float* k = q + head * head_dim;
            const float* v = q + model_.kv_width() + head * head_dim;
            rotate(k, position, 1.0f, k);
            if (batch_->cache.form != CACHE_BF16) continue;
            uint16_t* keys = static_cast<uint16_t*>(batch_->cache.keys) + cache_offset(layer, block, head) + place;
            uint16_t* values = static_cast<uint16_t*>(batch_->cache.values) + cache_offset(layer, block, head) + place * head_dim;
            for (int d = 0; d < head_dim; d++) {
                keys[d * BLOCK] = simd::to_bf16(k[d]);
                values[d] = simd::to_bf16(v[d]);
            }
        }
    }

    // Writes one head of a piece of a block into a cache of 8 bits.
    void store_piece(int item, int layer) {
        const RowTile& piece = pieces_[item / model_.kv_heads];
        const int head = item % model_.kv_heads, position = batch_->positions[start_ + piece.row];
        const float* keys = &qkv_[static_cast<size_t>(piece.row) * qkv_width_] + model_.q_width() + head * model_.head_dim;
        cache_head(piece.sequence, layer, head)
            .write(position / BLOCK, position % BLOCK, piece.rows, lasts_[piece.sequence] / BLOCK, keys,
                   keys + model_.kv_width(), qkv_width_);
    }

    // Takes blocks into the tree of a sequence once they may be chosen.
    void summarise(int item, int layer) {
        const int sequence = item / model_.kv_heads, head = item % model_.kv_heads;
        if (!batch_->trees[sequence] || lasts_[sequence] < 0) return;
        const CacheHead cache = cache_head(sequence, layer, head);
        SpanTree spans = tree(sequence, layer, head);
        for (int block = batch_->summarised[sequence]; block < first_local(lasts_[sequence]); block++)
            spans.add(block, cache);
    }

    // Attends to the sinks and the latest positions, then to the blocks that matter most beside them.
    void attend_sparsely(const AttentionItem& item, const CacheHead& cache, const SpanTree& spans, float* out,
                         Partial* partials) const {
        const int local = first_local(item.positions[0]), last = item.positions[0] / BLOCK;
        std::vector<int32_t> blocks{0};
        for (int block = local; block <= last; block++) blocks.push_back(block);
        attend_in_order(item, cache, VisibleBlocks(blocks), out, partials);
        const float* queries[MAX_QUERIES];
        float log_totals[MAX_QUERIES];
        for (int i = 0; i < item.heads; i++) {
            queries[i] = item.queries + i * item.head_dim;
            log_totals[i] = partials[i].maximum + std::log(partials[i].total);
        }
        BlockChoice(spans, queries, item.heads, item.head_dim, log_totals, local, batch_->budget).choose(blocks);
        attend_in_order(item, cache, VisibleBlocks(blocks), out, partials);
    }

    // Where the partial results of a tile begin: [rows, group] of each of its segments and heads lie together.
    size_t partial_index(int segment, const RowTile& tile, int kv_head) const {
        const int group = model_.heads / model_.kv_heads;
        return (static_cast<size_t>(segment) * rows_ + tile.row) * model_.heads + static_cast<size_t>(kv_head) * tile.rows * group;
    }

    void attend_item(int item, int layer) {
        const int index = item % segments_apart_, kv_head = item / segments_apart_ % model_.kv_heads;
        const RowTile& tile = tiles_[item / segments_apart_ / model_.kv_heads];
        if (index >= parts(tile)) return;
        const int group = model_.heads / model_.kv_heads;
        const size_t query = static_cast<size_t>(kv_head) * group * model_.head_dim;
        const bool windowed = batch_->windows[tile.sequence] > 0;
        const AttentionItem attention{
            tile,
            batch_->positions + start_ + tile.row,
            batch_->windows[tile.sequence],
            group,
            model_.head_dim,
            &qkv_[static_cast<size_t>(tile.row) * qkv_width_ + query],
            windowed ? &sink_queries_[static_cast<size_t>(tile.row) * model_.q_width() + query] : nullptr,
            static_cast<size_t>(qkv_width_),
            static_cast<size_t>(model_.q_width()),
        };
        const CacheHead cache = cache_head(tile.sequence, layer, kv_head);
        const size_t place = partial_index(index, tile, kv_head);
        float* out = &partial_out_[place * model_.head_dim];
        Partial* partials = &partials_[place];
        if (!tile.sparse && segments_apart_ > 1) {
            const VisibleBlocks blocks = visible(tile);
            return attend(attention, cache, blocks, blocks.segment(index), out, partials);
        }
        begin(tile.rows * group, model_.head_dim, out, partials);
        if (tile.sparse) attend_sparsely(attention, cache, tree(tile.sequence, layer, kv_head), out, partials);
        else attend_in_order(attention, cache, visible(tile), out, partials);
    }

    // Puts the segments of one tile together: normed_ [rows, q_width], and its int8 form.
    void merge_attention(const RowTile& tile) {
        const int head_dim = model_.head_dim, group = model_.heads / model_.kv_heads;
        const int segments = std::min(segments_apart_, parts(tile));
        for (int r = 0; r < tile.rows; r++) {
            float* out = &normed_[static_cast<size_t>(tile.row + r) * attended_width_];
            for (int head = 0; head < model_.heads; head++) {
                float* own = out + head * head_dim;
                std::fill_n(own, head_dim, 0.0f);
                Partial whole;
                for (int segment = 0; segment < segments; segment++) {
                    const size_t place = partial_index(segment, tile, head / group) + r * group + head % group;
                    whole.add(partials_[place], &partial_out_[place * head_dim], own, head_dim);
                }
                for (int d = 0; d < head_dim; d++) own[d] /= whole.total;
            }
            std::fill(out + model_.q_width(), out + attended_width_, 0.0f);
            quantized_.quantize_row(tile.row + r, out);
        }
    }

    // 64 channels of silu(gate) * up for all rows, and their int8 form.
    void activate(int item, int layer) {
        const Weight& weight = layers_[layer].gate_up;
        constexpr int TILES = GROUP / LANES;
        alignas(64) float gate[simd::MAX_ROWS][GROUP];
        for (int block = 0; block < quantized_.blocks(); block++) {
            const int start = quantized_.block_start(block);
            for (int t = 0; t < TILES; t++)
                multiply_block(weight, item * 2 * TILES + t, quantized_, block, [&](int row, F value) {
                    value = with_adapter(row, layer, GATE_PROJ, item * GROUP + t * LANES, value);
                    simd::store(&gate[row - start][t * LANES], simd::silu(value));
                });
            for (int t = 0; t < TILES; t++)
                multiply_block(weight, (item * 2 + 1) * TILES + t, quantized_, block, [&](int row, F value) {
                    value = with_adapter(row, layer, UP_PROJ, item * GROUP + t * LANES, value);
                    float* own = &activated_[static_cast<size_t>(row) * intermediate_width_ + item * GROUP + t * LANES];
                    simd::store(own, simd::mul(value, simd::load(&gate[row - start][t * LANES])));
                });
            for (int row = start; row < start + quantized_.block_rows(block); row++)
                quantized_wide_.quantize(row, item, &activated_[static_cast<size_t>(row) * intermediate_width_ + item * GROUP]);
        }
    }

    void norm_rows(Phases& phases, const float* weight) {
        phases.parallel(rows_, 1, [&](int row) {
            float* out = &normed_[static_cast<size_t>(row) * hidden_width_];
            rms_norm(&x_[static_cast<size_t>(row) * hidden_width_], weight, out);
            std::fill(out + model_.hidden, out + hidden_width_, 0.0f);
            quantized_.quantize_row(row, out);
        });
    }

    void add_to_residual(Phases& phases, const Weight& weight, const Activations& x, int layer, int module) {
        multiply(phases, weight, x, [&](int row, int tile, F value) {
            float* own = &x_[static_cast<size_t>(row) * hidden_width_ + tile * LANES];
            value = with_adapter(row, layer, module, tile * LANES, value);
            simd::store(own, simd::add(simd::load(own), value));
        });
    }

    void run_layer(Phases& phases, int index) {
        const Layer& layer = layers_[index];
        const int q_width = model_.q_width(), kv_width = model_.kv_width();
        shape(phases, quantized_, layer.qkv.groups);
        norm_rows(phases, layer.input_norm);
        apply_adapters(phases, index, Q_PROJ, V_PROJ, normed_.data(), hidden_width_);
        multiply(phases, layer.qkv, quantized_, [&](int row, int tile, F value) {
            const int column = tile * LANES;
            const int module = column < q_width ? Q_PROJ : column < q_width + kv_width ? K_PROJ : V_PROJ;
            const int before = module == Q_PROJ ? 0 : q_width + (module == V_PROJ ? kv_width : 0);
            value = with_adapter(row, index, module, column - before, value);
            simd::store(&qkv_[static_cast<size_t>(row) * qkv_width_ + column], value);
        });
        phases.parallel(rows_, 1, [&](int row) { rotate_and_store(row, index); });
        if (batch_->cache.form != CACHE_BF16)
            phases.parallel(static_cast<int>(pieces_.size()) * model_.kv_heads, 1, [&](int item) { store_piece(item, index); });
        if (has_trees_)
            phases.parallel(batch_->sequences * model_.kv_heads, 1, [&](int item) { summarise(item, index); });
        shape(phases, quantized_, layer.output.groups);
        const int items = static_cast<int>(tiles_.size()) * model_.kv_heads * segments_apart_;
        phases.parallel(items, std::max(1, items / (pool_.threads() * 6)), [&](int item) { attend_item(item, index); });
        phases.parallel(static_cast<int>(tiles_.size()), 1, [&](int tile) { merge_attention(tiles_[tile]); });
        apply_adapters(phases, index, O_PROJ, O_PROJ, normed_.data(), attended_width_);
        add_to_residual(phases, layer.output, quantized_, index, O_PROJ);
        shape(phases, quantized_, layer.gate_up.groups);
        norm_rows(phases, layer.post_attention_norm);
        apply_adapters(phases, index, GATE_PROJ, UP_PROJ, normed_.data(), hidden_width_);
        phases.parallel(intermediate_width_ / GROUP, std::max(1, intermediate_width_ / GROUP / (pool_.threads() * 6)),
                        [&](int item) { activate(item, index); });
        apply_adapters(phases, index, DOWN_PROJ, DOWN_PROJ, activated_.data(), intermediate_width_);
        add_to_residual(phases, layer.down, quantized_wide_, index, DOWN_PROJ);
    }

    // One thread lays out the activations of the next product while nobody reads them.
    void shape(const Phases& phases, Activations& activations, int groups) {
        if (phases.thread == 0) activations.shape(rows_, groups);
        pool_.barrier(phases.thread);
    }

    void run(int thread, float* out) {
        Phases phases{*this, thread};
        if (thread == 0) quantized_wide_.shape(rows_, intermediate_width_ / GROUP);
        phases.parallel(rows_, 1, [&](int row) { embed(row); });
        for (int layer = 0; layer < model_.layers; layer++) run_layer(phases, layer);
        phases.parallel(batch_->outputs, 1, [&](int index) {
            const int64_t row = batch_->output_rows[index] - start_;
            if (row < 0 || row >= rows_) return;
            rms_norm(&x_[static_cast<size_t>(row) * hidden_width_], model_.norm,
                     out + static_cast<size_t>(index) * model_.hidden);
        });
    }

    const Model model_;
    const std::vector<Layer> layers_;
    ThreadPool pool_;
    const int qkv_width_, hidden_width_, attended_width_, intermediate_width_;
    std::vector<float> x_, normed_, qkv_, sink_queries_, partial_out_, activated_, low_rank_;
    std::vector<Partial> partials_;
    std::vector<const Adapter*> row_adapters_;
    std::vector<Counter> counters_;
    Activations quantized_, quantized_wide_;
    std::vector<RowTile> tiles_, pieces_;
    std::vector<int> lasts_;  // [sequences], the last position in this pass
    const Batch* batch_ = nullptr;
    int start_ = 0, rows_ = 0, segments_apart_ = 1;
    bool has_adapters_ = false, has_windows_ = false, has_trees_ = false;
};

}  // namespace duet
