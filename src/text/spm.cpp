#include "text/spm.h"

extern "C" {
#include "base/log.h"
#include "text/spm_check.h"
#include "text/spm_words.h"
}

#include "base/memory.h"
#include "vkseq/text.h"

#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <random>
#include <sstream>
#include <string>
#include <unordered_map>
#include <vector>

// SentencePiece's generator of random numbers, one for each thread. Its public headers only seed
// those of threads to come.
namespace sentencepiece::random {
std::mt19937 *GetRandomGenerator();
}

struct spm {
    sentencepiece::SentencePieceProcessor processor;
    std::string model; // as it was read or learnt, so that saving changes no byte
    bool has_words;    // spm_words_is(model)
    const struct vks_log *log;
};

namespace {

using sentencepiece::util::Status;
using sentencepiece::util::StatusCode;

constexpr int num_placeholders = 16;

// Runs body, which returns a status, and turns what it throws into one.
template <typename Body> enum vks_status guarded(const struct vks_log *log, Body body) {
    try {
        return body();
    } catch (const std::bad_alloc &) {
        log_error(log, "SentencePiece: out of memory");
    } catch (const std::exception &error) {
        log_error(log, "SentencePiece: %s", error.what());
    }
    return VKS_ERR_OOM;
}

// SentencePiece ends the process when normalisation and the removal of symbols such as <ph0> leave
// nothing of a text. They leave letters and digits outside angle brackets. A line that it may skip
// for its length does not count.
bool has_words(const std::string &line) {
    if (line.size() > 4096)
        return false;
    const char *bytes = line.data();
    bool is_symbol = false;
    for (int32_t at = 0, end = static_cast<int32_t>(line.size()); at < end;) {
        UChar32 c;
        U8_NEXT(bytes, at, end, c);
        if (c == '<' || c == '>')
            is_symbol = c == '<';
        else if (c >= 0 && !is_symbol && u_isalnum(c))
            return true;
    }
    return false;
}

// The lines of several files, or a field of each, one after the other.
class LineIterator : public sentencepiece::SentenceIterator {
  public:
    explicit LineIterator(const struct spm_train_params &params) : params_(params) {
        Next();
    }
    LineIterator(const LineIterator &) = delete;
    LineIterator &operator=(const LineIterator &) = delete;
    ~LineIterator() override {
        vks_line_reader_close(&reader_);
    }

    bool done() const override {
        return done_;
    }

    void Next() override {
        const char *line = nullptr;
        size_t num_bytes = 0;
        while (read_status_ == VKS_OK && !done_ && !line) {
            if (reader_) {
                read_status_ = vks_line_reader_next(reader_, &line, &num_bytes);
                if (read_status_ == VKS_OK && !line) {
                    vks_line_reader_close(&reader_);
                    path_idx_++;
                }
            } else if (path_idx_ < params_.num_paths) {
                read_status_ =
                    vks_line_reader_open(params_.paths[path_idx_], params_.log, &reader_);
            } else {
                done_ = true;
            }
        }
        done_ = done_ || read_status_ != VKS_OK;
        if (done_)
            return;
        set_line(line, num_bytes);
        has_words_ = has_words_ || has_words(line_);
    }

    const std::string &value() const override {
        return line_;
    }

    Status status() const override {
        if (read_status_ != VKS_OK)
            return Status(StatusCode::kUnavailable, "the text cannot be read");
        if (!has_words_)
            return Status(StatusCode::kInvalidArgument, "no line with a word in the text");
        return Status();
    }

    // Why the text could not be read, which is logged.
    enum vks_status read_status() const {
        return read_status_;
    }

  private:
    void set_line(const char *line, size_t num_bytes) {
        const char *end = line + num_bytes;
        uint32_t field = params_.fields ? params_.fields[path_idx_] : 0;
        for (uint32_t i = 1; i < field; i++) {
            const char *tab = std::find(line, end, '\t');
            line = tab == end ? end : tab + 1;
        }
        line_.assign(line, field ? std::find(line, end, '\t') : end);
    }

    const struct spm_train_params &params_;
    size_t path_idx_ = 0;
    struct vks_line_reader *reader_ = nullptr;
    std::string line_;
    enum vks_status read_status_ = VKS_OK;
    bool done_ = false, has_words_ = false;
};

std::string placeholder_list() {
    std::string list;
    for (int i = 0; i < num_placeholders; i++)
        list += (i ? ",<ph" : "<ph") + std::to_string(i) + ">";
    return list;
}

using Flags = std::unordered_map<std::string, std::string>;

Flags default_flags(uint32_t num_pieces) {
    return {{"bos_id", "-1"},
            {"pad_id", "-1"},
            {"eos_id", "0"},
            {"unk_id", "1"},
            {"user_defined_symbols", placeholder_list()},
            {"vocab_size", std::to_string(num_pieces)},
            {"hard_vocab_limit", "false"},
            {"model_type", "unigram"},
            {"byte_fallback", "true"},
            {"character_coverage", "1.0"},
            {"max_sentence_length", "16384"},
            {"num_threads", "2"}, // sums are in thread order: another number, other pieces
            {"minloglevel", "3"}};
}

enum vks_status apply_options(const char *options, const struct vks_log *log, Flags &flags) {
    std::istringstream words(options ? options : "");
    for (std::string word; words >> word;) {
        size_t equals = std::min(word.find('='), word.size());
        if (word.compare(0, 2, "--") != 0 || equals < 3) {
            log_error(log, "SentencePiece option '%s': expected --name=value", word.c_str());
            return VKS_ERR_ARGUMENT;
        }
        std::string name = word.substr(2, equals - 2);
        std::string value = equals < word.size() ? word.substr(equals + 1) : "true";
        if (name == "input" || name == "model_prefix") {
            log_error(log, "SentencePiece option '%s' cannot be used here", word.c_str());
            return VKS_ERR_ARGUMENT;
        }
        flags[name] = name == "user_defined_symbols" ? placeholder_list() + "," + value : value;
    }
    return VKS_OK;
}

enum vks_status train(const struct spm_train_params &params, struct spm **out) {
    Flags flags = default_flags(params.num_pieces);
    TRY(apply_options(params.options, params.log, flags));

    // SentencePiece reserves the highest seed for "take any".
    sentencepiece::SetRandomGeneratorSeed(params.seed % UINT32_MAX);
    LineIterator lines(params);
    std::string model;
    Status status = sentencepiece::SentencePieceTrainer::Train(flags, &lines, &model);
    TRY(lines.read_status());
    if (!status.ok()) {
        log_error(params.log, "cannot learn a vocabulary of %u pieces from %s%s: %s",
                  params.num_pieces, params.paths[0], params.num_paths > 1 ? ", ..." : "",
                  status.message());
        return VKS_ERR_ARGUMENT;
    }
    return spm_load(model.data(), model.size(), "the learnt vocabulary", params.log, out);
}

} // namespace

enum vks_status spm_load(const void *model, size_t num_bytes, const char *name,
                         const struct vks_log *log, struct spm **out) {
    char fault[SPM_FAULT_BYTES];
    if (!spm_check(model, num_bytes, fault)) {
        log_error(log, "%s: no SentencePiece model, or a damaged one: %s", name, fault);
        return VKS_ERR_FORMAT;
    }
    return guarded(
        log, [&]() -> enum vks_status {
            auto spm = std::make_unique<struct spm>();
            spm->log = log;
            spm->model.assign(static_cast<const char *>(model), num_bytes);
            Status status = spm->processor.LoadFromSerializedProto(spm->model);
            if (!status.ok()) {
                log_error(log, "%s: no SentencePiece model: %s", name, status.message());
                return VKS_ERR_FORMAT;
            }
            spm->has_words = spm_words_is(model, num_bytes);
            *out = spm.release();
            return VKS_OK;
        });
}

enum vks_status spm_train(const struct spm_train_params *params, struct spm **spm) {
    return guarded(params->log, [&] { return train(*params, spm); });
}

// The words between blanks, each with the mark of one.
static enum vks_status visit_words(const char *text, size_t text_bytes,
                                   enum vks_status (*visit)(void *user, const char *piece,
                                                            size_t piece_bytes),
                                   void *user) {
    const std::string line(text, text_bytes);
    for (size_t at = 0, end; at < line.size(); at = end + 1) {
        end = std::min(line.find(' ', at), line.size());
        const std::string piece = SPM_WORD_MARK + line.substr(at, end - at);
        if (end > at)
            TRY(visit(user, piece.c_str(), piece.size()));
    }
    return VKS_OK;
}

enum vks_status spm_encode(
    const struct spm *spm, const struct spm_sampling *sampling, const char *text, size_t text_bytes,
    enum vks_status (*visit)(void *user, const char *piece, size_t piece_bytes), void *user) {
    return guarded(
        spm->log, [&]() -> enum vks_status {
            std::vector<std::string> pieces;
            Status status;
            if (spm->has_words)
                return visit_words(text, text_bytes, visit, user);
            // The text is C++'s string_view in some releases and SentencePiece's own in others.
            if (sampling && sampling->alpha > 0) {
                sentencepiece::random::GetRandomGenerator()->seed(sampling->seed);
                status =
                    spm->processor.SampleEncode({text, text_bytes}, -1, sampling->alpha, &pieces);
            } else {
                status = spm->processor.Encode({text, text_bytes}, &pieces);
            }
            if (!status.ok()) {
                log_error(spm->log, "cannot encode a text: %s", status.message());
                return VKS_ERR_FORMAT;
            }
            for (const std::string &piece : pieces)
                TRY(visit(user, piece.c_str(), piece.size()));
            return VKS_OK;
        });
}

enum vks_status spm_decode(const struct spm *spm, const char *const *pieces, size_t num_pieces,
                           char **text) {
    return guarded(spm->log, [&] {
        std::vector<std::string> list(pieces, pieces + num_pieces);
        std::string decoded;
        Status status = spm->processor.Decode(list, &decoded);
        if (!status.ok()) {
            log_error(spm->log, "cannot decode pieces: %s", status.message());
            return VKS_ERR_FORMAT;
        }
        decoded.erase(std::remove(decoded.begin(), decoded.end(), '\0'), decoded.end());
        char *copy = memory_strdup(decoded.c_str());
        if (!copy)
            throw std::bad_alloc();
        *text = copy;
        return VKS_OK;
    });
}

uint32_t spm_num_pieces(const struct spm *spm) {
    return static_cast<uint32_t>(spm->processor.GetPieceSize());
}

const char *spm_piece(const struct spm *spm, uint32_t id) {
    return spm->processor.IdToPiece(static_cast<int>(id)).c_str();
}

const void *spm_model(const struct spm *spm, size_t *num_bytes) {
    *num_bytes = spm->model.size();
    return spm->model.data();
}

void spm_destroy(struct spm **spm) {
    if (!spm)
        return;
    delete *spm;
    *spm = nullptr;
}
