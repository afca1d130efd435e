// The C interface that core_model/kernels/library.py calls.
#include "transformer.h"

struct DuetTransformer {
    duet::Transformer transformer;
    std::mutex mutex;  // one pass at a time; adapters change between passes
};

extern "C" {

const char* duet_backend() { return simd::NAME; }

DuetTransformer* duet_create(const duet::Model* model, int threads) {
    return new DuetTransformer{{*model, threads}, {}};
}

void duet_destroy(DuetTransformer* self) { delete self; }

void duet_forward(DuetTransformer* self, const duet::Batch* batch, float* out) {
    std::lock_guard<std::mutex> lock(self->mutex);
    self->transformer.forward(*batch, out);
}

void duet_logits(DuetTransformer* self, const float* hidden, int rows, float* out) {
    std::lock_guard<std::mutex> lock(self->mutex);
    self->transformer.logits(hidden, rows, out);
}

void duet_set_adapter(DuetTransformer* self, int adapter, int layer, int module, int rank, int inputs, int outputs,
                      const float* a, const float* b) {
    std::lock_guard<std::mutex> lock(self->mutex);
    self->transformer.adapters.set(adapter, layer, module, {rank, inputs, outputs, a, b});
}

void duet_remove_adapter(DuetTransformer* self, int adapter) {
    std::lock_guard<std::mutex> lock(self->mutex);
    self->transformer.adapters.remove(adapter);
}

}  // extern "C"
