#include "train/batch_fit.h"

#include "base/log.h"

static enum vks_status measure(const struct batch_fit_params *params,
                               const struct loss_params *program, uint32_t words, uint64_t *bytes) {
    struct loss_params sized = *program;
    sized.capacity = (struct feed_capacity){words, words, words};
    return loss_program_measure(params->device, &sized, bytes);
}

static enum vks_status measure_all(const struct batch_fit_params *params, uint32_t words,
                                   uint64_t *bytes) {
    uint64_t valid_bytes = 0;
    TRY(measure(params, params->train, words, bytes));
    if (params->valid)
        TRY(measure(params, params->valid, words, &valid_bytes));
    *bytes = *bytes > UINT64_MAX - valid_bytes ? UINT64_MAX : *bytes + valid_bytes;
    return VKS_OK;
}

enum vks_status batch_fit_find(const struct batch_fit_params *params, struct batch_fit *fit) {
    struct batch_fit best = {.words = params->least_words};
    uint32_t end = params->most_words; // the most that may fit
    TRY(measure_all(params, best.words, &best.bytes));
    if (best.bytes > params->workspace_bytes || end < best.words) {
        log_error(
            params->log,
            "the workspace of %.1f MiB is too small: batches of a single longest sentence, %u "
            "tokens, take %.1f MiB; give a larger --workspace or a smaller --max-length",
            (double)params->workspace_bytes / 0x1p20, best.words, (double)best.bytes / 0x1p20);
        return VKS_ERR_DEVICE_OOM;
    }
    while (best.words < end) {
        uint32_t words = best.words + (end - best.words + 1) / 2;
        uint64_t bytes;
        TRY(measure_all(params, words, &bytes));
        if (bytes <= params->workspace_bytes)
            best = (struct batch_fit){words, bytes};
        else
            end = words - 1;
    }
    *fit = best;
    return VKS_OK;
}
