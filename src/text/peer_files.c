#include "text/peer_files.h"

#include "base/log.h"
#include "io/files.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char special_tokens[] = "{\n"
                                     "  \"eos_token\": \"</s>\",\n"
                                     "  \"unk_token\": \"<unk>\",\n"
                                     "  \"pad_token\": \"<pad>\"\n"
                                     "}\n";

static const char tokenizer_config[] = "{\n"
                                       "  \"tokenizer_class\": \"MarianTokenizer\",\n"
                                       "  \"eos_token\": \"</s>\",\n"
                                       "  \"unk_token\": \"<unk>\",\n"
                                       "  \"pad_token\": \"<pad>\",\n"
                                       "  \"model_max_length\": 512,\n"
                                       "  \"separate_vocabs\": %s\n"
                                       "}\n";

static enum vks_status write_text(const char *dir, const char *name, const char *text,
                                  const struct vks_log *log) {
    char *path = path_join(dir, name);
    enum vks_status status = path ? file_replace(path, text, strlen(text), log) : VKS_ERR_OOM;
    free(path);
    return status;
}

enum vks_status peer_files_write_hf(const struct vks_tokenizer *tokenizer, const char *dir,
                                    const struct vks_log *log) {
    char text[sizeof tokenizer_config + 8];
    snprintf(text, sizeof text, tokenizer_config,
             vks_tokenizer_is_joint(tokenizer) ? "false" : "true");
    TRY(write_text(dir, "special_tokens_map.json", special_tokens, log));
    return write_text(dir, "tokenizer_config.json", text, log);
}

static bool is_control(const unsigned char *c) {
    return c[0] < 0x20 || c[0] == 0x7f || (c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0);
}

// In single quotes, where only these mean something; control characters need double ones.
static enum vks_status write_piece(struct file_writer *writer, const char *piece) {
    bool has_control = false;
    for (const unsigned char *c = (const unsigned char *)piece; *c; c++)
        has_control |= is_control(c);
    const char *quote = has_control ? "\"" : "'";
    TRY(file_writer_write(writer, quote, 1));
    for (const unsigned char *c = (const unsigned char *)piece; *c; c++) {
        char escape[8] = {(char)*c};
        if (has_control && is_control(c))
            snprintf(escape, sizeof escape, "\\x%02x", *c < 0x80 ? *c : *++c);
        else if (has_control ? *c == '"' || *c == '\\' : *c == '\'')
            snprintf(escape, sizeof escape, "%c%c", has_control ? '\\' : '\'', *c);
        TRY(file_writer_write(writer, escape, strlen(escape)));
    }
    return file_writer_write(writer, quote, 1);
}

enum vks_status peer_files_write_yaml(const struct vks_tokenizer *tokenizer, enum vks_side side,
                                      uint32_t size, const char *path, const struct vks_log *log) {
    struct file_writer writer = {0};
    enum vks_status status = file_writer_open(&writer, path, log);
    for (uint32_t id = 0; id < size && status == VKS_OK; id++) {
        char number[16], name[24];
        const char *piece = vks_tokenizer_piece(tokenizer, side, id);
        snprintf(name, sizeof name, "<none%" PRIu32 ">", id);
        int num_bytes = snprintf(number, sizeof number, ": %" PRIu32 "\n", id);
        status = write_piece(&writer, piece ? piece : name);
        if (status == VKS_OK)
            status = file_writer_write(&writer, number, (size_t)num_bytes);
    }
    if (status == VKS_OK)
        status = file_writer_commit(&writer);
    file_writer_abort(&writer);
    return status;
}
