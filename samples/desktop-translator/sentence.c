#include "sentence.h"

#include <glib.h>
#include <string.h>

// Less than this part of the strongest word, or of all, is not shown.
static const float LEAST_OF_STRONGEST = 0.35f, LEAST = 0.12f;

// The text of each id by itself, whatever kind of pieces the vocabulary has.
static struct span *find_tokens(const struct vks_tokenizer *tokenizer, enum vks_side side,
                                const char *text, const uint32_t *ids, size_t num) {
    struct span *spans = g_new0(struct span, num + 1);
    char **tokens = g_new0(char *, num + 1);
    for (size_t i = 0; i < num; i++) {
        char *token;
        if (vks_tokenizer_decode(tokenizer, side, &ids[i], 1, &token) != VKS_OK) {
            tokens[i] = g_strdup("");
            continue;
        }
        tokens[i] = g_utf8_make_valid(token, -1);
        vks_free(token);
    }
    spans_find(text, (const char *const *)tokens, num, spans);
    for (size_t i = 0; i < num; i++)
        g_free(tokens[i]);
    g_free(tokens);
    return spans;
}

struct sentence *sentence_create(const struct vks_tokenizer *tokenizer, const char *source,
                                 const struct vks_translation *translation,
                                 const struct vks_hypothesis *hypothesis) {
    struct sentence *sentence = sentence_create_plain(source, hypothesis->text);
    size_t num_source = translation->num_source_ids, num_target = hypothesis->num_ids;
    sentence->target_spans =
        find_tokens(tokenizer, VKS_TARGET, sentence->text, hypothesis->ids, num_target);
    sentence->num_target = num_target;
    if (!hypothesis->alignment || !translation->source_ids)
        return sentence;
    sentence->source_spans =
        find_tokens(tokenizer, VKS_SOURCE, source, translation->source_ids, num_source);
    sentence->num_source = num_source;
    sentence->alignment = g_memdup2(hypothesis->alignment, num_target * num_source * sizeof(float));
    return sentence;
}

struct sentence *sentence_create_plain(const char *source, const char *text) {
    struct sentence *sentence = g_atomic_rc_box_new0(struct sentence);
    sentence->source = g_strdup(source);
    sentence->text = g_strdup(text);
    return sentence;
}

struct sentence *sentence_ref(struct sentence *sentence) {
    return g_atomic_rc_box_acquire(sentence);
}

static void finish(void *user) {
    struct sentence *sentence = user;
    g_free(sentence->source);
    g_free(sentence->text);
    g_free(sentence->source_spans);
    g_free(sentence->target_spans);
    g_free(sentence->alignment);
}

void sentence_unref(struct sentence *sentence) {
    if (sentence)
        g_atomic_rc_box_release_full(sentence, finish);
}

// What the tokens of a word take from the source tokens of another.
static float weight_between(const struct sentence *sentence, struct span word, struct span source) {
    float sum = 0;
    for (size_t i = 0; i < sentence->num_target; i++)
        for (size_t k = 0;
             spans_overlap(sentence->target_spans[i], word) && k < sentence->num_source; k++)
            if (spans_overlap(sentence->source_spans[k], source))
                sum += sentence->alignment[i * sentence->num_source + k];
    return sum;
}

size_t sentence_attended(const struct sentence *sentence, struct span word,
                         struct attended **attended) {
    *attended = NULL;
    if (!sentence->alignment)
        return 0;
    GArray *words = g_array_new(FALSE, FALSE, sizeof(struct attended));
    float sum = 0, strongest = 0;
    for (struct span next = span_next_word(sentence->source, 0); next.end > next.start;
         next = span_next_word(sentence->source, next.end)) {
        struct attended one = {next, weight_between(sentence, word, next)};
        sum += one.weight;
        strongest = MAX(strongest, one.weight);
        g_array_append_val(words, one);
    }
    for (guint i = words->len; i-- > 0;) {
        struct attended *one = &g_array_index(words, struct attended, i);
        if (sum <= 0 || one->weight < LEAST * sum || one->weight < LEAST_OF_STRONGEST * strongest)
            g_array_remove_index(words, i);
        else
            one->weight /= sum;
    }
    size_t num = words->len;
    *attended = num ? (struct attended *)(void *)g_array_free(words, FALSE) : NULL;
    if (!num)
        g_array_free(words, TRUE);
    return num;
}
