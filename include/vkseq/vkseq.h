// vkseq: Transformer sequence models, trained and run with Vulkan compute.
#ifndef VKSEQ_VKSEQ_H
#define VKSEQ_VKSEQ_H

#include "vkseq/attention_map.h"
#include "vkseq/base.h"
#include "vkseq/bench.h"
#include "vkseq/convert.h"
#include "vkseq/device.h"
#include "vkseq/metrics.h"
#include "vkseq/model.h"
#include "vkseq/selftest.h"
#include "vkseq/shortlist.h"
#include "vkseq/text.h"
#include "vkseq/tokenizer.h"
#include "vkseq/trainer.h"
#include "vkseq/translator.h"

#endif
