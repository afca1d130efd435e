// Vectors of 16 channels. One of three back ends, chosen by the compiler's target or forced with
// -DDUET_BACKEND=…; each defines the same names, so that the kernels are written once.
//
//   F      16 float32            I      16 int32            Bytes  16 channels x 4 codes, unsigned
//   dot(acc, w, x)               acc[c] += sum_i w[c][i] * x[i], x: 4 int8
//   MAX_ROWS                     rows whose accumulators fit the registers beside one load of weights
//   CODE_OFFSET                  what dot() leaves in the codes of 8-bit weights, which are stored as w + 128
//   load_nibbles(p)              16 codes of 4 bits in 8 bytes: channel i in the low, i + 8 in the high half of byte i
//   load_scale8(p)               16 scales of 8 bits (to_scale8)
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#define DUET_PORTABLE 1
#define DUET_AVX2 2
#define DUET_AVX512 3

#ifndef DUET_BACKEND
#if defined(__AVX512VNNI__) && defined(__AVX512BW__) && defined(__AVX512VL__)
#define DUET_BACKEND DUET_AVX512
#elif defined(__AVX2__) && defined(__FMA__) && defined(__F16C__)
#define DUET_BACKEND DUET_AVX2
#else
#define DUET_BACKEND DUET_PORTABLE
#endif
#endif

namespace simd {
constexpr int32_t SCALE8_BASE = 112 << 23;  // the exponent of the smallest 8-bit scale, 2^-15
}

#if DUET_BACKEND == DUET_AVX512
#include "simd_avx512.h"
#elif DUET_BACKEND == DUET_AVX2
#include "simd_avx2.h"
#else
#include "simd_portable.h"
#endif

namespace simd {

constexpr int LANES = 16;

// e^x to 2 ulp, 0 below -87 (Cephes' polynomial, netlib.org/cephes).
inline F exp(F x) {
    const F low = set1(-87.0f);
    const uint32_t underflow = less(x, low);
    x = min(max(x, low), set1(88.0f));
    const F n = round(mul(x, set1(1.44269504088896341f)));
    F r = fma(n, set1(-0.693359375f), x);
    r = fma(n, set1(2.12194440e-4f), r);
    F p = set1(1.9875691500e-4f);
    p = fma(p, r, set1(1.3981999507e-3f));
    p = fma(p, r, set1(8.3334519073e-3f));
    p = fma(p, r, set1(4.1665795894e-2f));
    p = fma(p, r, set1(1.6666665459e-1f));
    p = fma(p, r, set1(5.0000001201e-1f));
    p = fma(p, mul(r, r), add(r, set1(1.0f)));
    return select(underflow, zero(), scale_by_power(p, n));
}

inline F silu(F x) { return div(x, add(set1(1.0f), exp(sub(zero(), x)))); }

inline uint16_t to_bf16(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, 4);
    return static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

inline float from_bf16(uint16_t value) {
    const uint32_t bits = static_cast<uint32_t>(value) << 16;
    float x;
    std::memcpy(&x, &bits, 4);
    return x;
}

// The smallest scale of 8 bits (5 of exponent, 3 of mantissa, no sign) that is not below `value`.
inline uint8_t to_scale8(float value) {
    int32_t bits;
    std::memcpy(&bits, &value, 4);
    const int32_t code = (bits - SCALE8_BASE + (1 << 20) - 1) >> 20;
    return static_cast<uint8_t>(code < 0 ? 0 : code > 255 ? 255 : code);
}

inline float from_scale8(uint8_t code) {
    const int32_t bits = (static_cast<int32_t>(code) << 20) + SCALE8_BASE;
    float x;
    std::memcpy(&x, &bits, 4);
    return x;
}

inline float minimum(F x) { return -maximum(sub(zero(), x)); }

}  // namespace simd
