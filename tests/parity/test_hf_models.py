#!/usr/bin/env python3
"""Models of transformers in vkseq: logits, greedy and beam search, and saving again.

    VKSEQ_COMMAND=build/dev/vkseq PYTHON tests/parity/test_hf_models.py

PYTHON has the pinned transformers. Models have random weights and go by ids, without tokenizers:
through tests/model_ids beside the command. Logits must agree to 1e-4, where what transformers
computes in float64 with the stored weights is the truth; in float16 to 2e-2 of their size, the root
of their mean square, which is 4 to 6 in these models: transformers' own float16 is off by 0.02 to
0.09 there, as 11 bits are not more. Both errors are printed. Translations of 200 random inputs must
be the same, greedy and with a beam of 4, but where transformers itself finds the two of them
equally good to 1e-4. Those are counted and printed.
"""
import array
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import unittest
import warnings

warnings.filterwarnings("ignore")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")

import torch  # noqa: E402
import transformers  # noqa: E402

torch.set_num_threads(1)
transformers.utils.logging.disable_progress_bar()

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMMAND = pathlib.Path(os.environ.get("VKSEQ_COMMAND", ROOT / "build/dev/vkseq")).resolve()
PROGRAM = COMMAND.parent / "tests" / "model_ids"
NO_DEVICE = 77
NUM_INPUTS, NUM_LOGITS, MAX_LENGTH, BATCH = 200, 20, 24, 50
LOGIT_TOLERANCE, HALF_TOLERANCE, MARGIN = 1e-4, 2e-2, 1e-4

MARIAN = (transformers.MarianConfig, transformers.MarianMTModel)
PEGASUS = (transformers.PegasusConfig, transformers.PegasusForConditionalGeneration)
M2M100 = (transformers.M2M100Config, transformers.M2M100ForConditionalGeneration)
MBART = (transformers.MBartConfig, transformers.MBartForConditionalGeneration)


def shape(width, layers, heads, ffn, **more):
    """layers, heads and ffn: of the encoder and the decoder."""
    return dict(d_model=width, encoder_layers=layers[0], decoder_layers=layers[1],
                encoder_attention_heads=heads[0], decoder_attention_heads=heads[1],
                encoder_ffn_dim=ffn[0], decoder_ffn_dim=ffn[1], **more)


def marian(vocab, **more):
    return dict(vocab_size=vocab, pad_token_id=vocab - 1, decoder_start_token_id=vocab - 1,
                eos_token_id=0, forced_eos_token_id=0, bad_words_ids=[[vocab - 1]], **more)


# By name: the class, its configuration, how it is translated with, and what it is stored as.
MODELS = {
    "marian_tied_swish": (MARIAN, marian(
        97, **shape(32, (2, 2), (4, 4), (64, 64), activation_function="swish",
                    scale_embedding=True)), dict(max_length=MAX_LENGTH), "float32"),
    "marian_separate_relu": (MARIAN, marian(
        101, decoder_vocab_size=103, share_encoder_decoder_embeddings=False,
        **shape(48, (6, 1), (4, 2), (80, 52), activation_function="relu", scale_embedding=True)),
        dict(max_length=MAX_LENGTH, no_repeat_ngram_size=3), "float32"),
    "marian_untied_gelu": (MARIAN, marian(
        89, share_encoder_decoder_embeddings=False, tie_word_embeddings=False, **shape(
            24, (1, 3), (2, 3), (36, 44), activation_function="gelu")),
        dict(max_length=MAX_LENGTH, length_penalty=0.6, early_stopping=True), "bfloat16"),
    "pegasus_gelu": (PEGASUS, dict(
        vocab_size=113, pad_token_id=0, eos_token_id=1, decoder_start_token_id=0,
        forced_eos_token_id=1, **shape(32, (1, 2), (2, 4), (64, 40), activation_function="gelu",
                                       scale_embedding=True)),
        dict(max_length=MAX_LENGTH, length_penalty=0.8), "float32"),
    "pegasus_relu": (PEGASUS, dict(
        vocab_size=127, pad_token_id=0, eos_token_id=1, decoder_start_token_id=0,
        **shape(40, (4, 3), (5, 5), (52, 52), activation_function="relu")),
        dict(max_length=MAX_LENGTH, early_stopping="never", min_length=6), "float16"),
    "m2m100_relu": (M2M100, dict(
        vocab_size=131, pad_token_id=1, bos_token_id=0, eos_token_id=2, decoder_start_token_id=2,
        **shape(32, (3, 2), (4, 4), (64, 64), activation_function="relu", scale_embedding=True)),
        dict(max_length=MAX_LENGTH, forced_bos_token_id=128, early_stopping=True), "float32"),
    "m2m100_untied_swish": (M2M100, dict(
        vocab_size=83, pad_token_id=1, bos_token_id=0, eos_token_id=2, decoder_start_token_id=2,
        tie_word_embeddings=False, **shape(24, (1, 6), (3, 2), (28, 60),
                                           activation_function="swish")),
        dict(max_length=MAX_LENGTH, forced_bos_token_id=80, length_penalty=1.3), "float32"),
    "mbart_gelu": (MBART, dict(
        vocab_size=109, pad_token_id=1, bos_token_id=0, eos_token_id=2, decoder_start_token_id=2,
        forced_eos_token_id=2, max_position_embeddings=64, **shape(
            32, (2, 2), (4, 2), (64, 48), activation_function="gelu", scale_embedding=True)),
        dict(max_length=MAX_LENGTH, forced_bos_token_id=105, num_beams=5, early_stopping=True),
        "float32"),
    "mbart_relu": (MBART, dict(
        vocab_size=151, pad_token_id=1, bos_token_id=0, eos_token_id=2, decoder_start_token_id=2,
        max_position_embeddings=40, **shape(36, (1, 5), (3, 3), (40, 40),
                                            activation_function="relu")),
        dict(max_length=MAX_LENGTH, repetition_penalty=1.2), "float32"),
}


def make_model(name, seed):
    """A model whose decisions are clear: louder than transformers makes them, norms and biases
    not as they begin."""
    (config_class, model_class), fields, generation, dtype = MODELS[name]
    torch.manual_seed(seed)
    fields = {key: value for key, value in fields.items() if key != "bad_words_ids"}
    model = model_class(config_class(**fields))
    pad = model.config.pad_token_id
    with torch.no_grad():
        for key, value in model.named_parameters():
            if "embed_positions" in key and value.shape[0] == fields.get(
                    "max_position_embeddings", 1024) and "mbart" not in name:
                continue
            if "norm" in key:
                value.add_(0.3 * torch.randn_like(value))
            elif value.dim() == 1:
                value.copy_(0.2 * torch.randn_like(value))
            elif "embed" in key or "shared" in key or "lm_head" in key:
                value.copy_(torch.randn_like(value) * (0.7 if value.shape[0] > 64 else 0.4))
            else:
                value.copy_(torch.randn_like(value) * 1.2 / value.shape[1] ** 0.5)
        for table in {model.get_input_embeddings(), model.model.decoder.embed_tokens,
                      model.model.encoder.embed_tokens}:
            if table.weight.shape[0] > pad:
                table.weight[pad] = 0
        if hasattr(model, "final_logits_bias"):
            model.final_logits_bias.copy_(0.5 * torch.randn_like(model.final_logits_bias))
            model.final_logits_bias[0, pad] = 0
            model.final_logits_bias[0, model.config.eos_token_id] += 4
        # So that translations end now and then, also where there is no bias.
        model.lm_head.weight[model.config.eos_token_id] *= 2
        model.lm_head.weight[pad] = 0
    # transformers saves what beams are for with a number of beams alone.
    for key, value in {"num_beams": 4, **generation, **({"bad_words_ids": MODELS[name][1]["bad_words_ids"]}
                                        if "bad_words_ids" in MODELS[name][1] else {})}.items():
        setattr(model.generation_config, key, value)
    return model.to(getattr(torch, dtype)).eval()


class HuggingFaceModels(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp())
        cls.random = random.Random(5)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def run_program(self, folder, *words, lines=(), text=True):
        data = "".join(line + "\n" for line in lines).encode()
        run = subprocess.run([str(PROGRAM), str(folder), *map(str, words)], input=data,
                             capture_output=True)
        if run.returncode == NO_DEVICE:
            self.skipTest("no Vulkan device")
        self.assertEqual((run.returncode, run.stderr.decode()), (0, ""))
        return run.stdout.decode().splitlines() if text else run.stdout

    def store(self, name, model):
        folder = self.folder / name
        model.save_pretrained(folder)
        return folder

    def inputs(self, model, num):
        """Random sentences of 1 to 14 tokens and </s>."""
        config = model.config
        special = {config.pad_token_id, config.eos_token_id}
        ids = [i for i in range(config.vocab_size) if i not in special]
        return [self.random.choices(ids, k=self.random.randint(1, 14)) + [config.eos_token_id]
                for _ in range(num)]

    def check_logits(self, folder, exact, sources, precision="float32"):
        """exact: in float64. What transformers itself is off by in float16 is printed too."""
        halves = exact.__class__.from_pretrained(folder, dtype=torch.float16).eval() \
            if precision == "float16" else None
        start = exact.config.decoder_start_token_id
        vocab = exact.lm_head.weight.shape[0]
        targets = [[start] + self.random.choices([i for i in range(vocab)
                                                  if i != exact.config.pad_token_id],
                                                 k=self.random.randint(0, 12)) for _ in sources]
        lines = [" ".join(map(str, source)) + " | " + " ".join(map(str, target))
                 for source, target in zip(sources, targets)]
        words = [precision] if halves else []
        found = array.array("f", self.run_program(folder, "logits", *words, lines=lines,
                                                  text=False))
        worst, theirs, squares, at = 0.0, 0.0, 0.0, 0
        for source, target in zip(sources, targets):
            inputs = {"input_ids": torch.tensor([source]),
                      "decoder_input_ids": torch.tensor([target])}
            with torch.no_grad():
                expected = exact(**inputs).logits[0]
                if halves:
                    difference = halves(**inputs).logits[0].double() - expected
                    theirs = max(theirs, difference.abs().max().item())
            num = len(target) * vocab
            logits = torch.tensor(found[at:at + num], dtype=torch.float64).view(-1, vocab)
            worst = max(worst, (logits - expected).abs().max().item())
            squares += expected.square().sum().item()
            at += num
        self.assertEqual(at, len(found))
        size = (squares / at) ** 0.5
        print(f"{folder.name}: largest logit error {worst:.1e}" +
              (f" in float16, transformers' own {theirs:.1e}, logits' size {size:.1f}"
               if halves else ""))
        self.assertLess(worst, HALF_TOLERANCE * size if halves else LOGIT_TOLERANCE)

    @staticmethod
    def best(model, sources, beam):
        """What generate gives, without the first input and </s>."""
        pad, eos, found = model.config.pad_token_id, model.config.eos_token_id, []
        for first in range(0, len(sources), BATCH):
            batch = sources[first:first + BATCH]
            longest = max(map(len, batch))
            mask = torch.tensor([[1] * len(ids) + [0] * (longest - len(ids)) for ids in batch])
            ids = torch.tensor([ids + [pad] * (longest - len(ids)) for ids in batch])
            with torch.no_grad():
                outputs = model.generate(input_ids=ids, attention_mask=mask, num_beams=beam)
            for output in outputs.tolist():
                output = output[1:model.generation_config.max_length]
                found.append(output[:output.index(eos)] if eos in output else output)
        return found

    @staticmethod
    def processors(model, beam):
        config = model.generation_config
        return model._get_logits_processor(
            generation_config=config, input_ids_seq_length=1,
            encoder_input_ids=torch.zeros((1, 1), dtype=torch.long),
            prefix_allowed_tokens_fn=None, logits_processor=None)

    def steps(self, model, source, ids, beam):
        """What transformers adds for each token, </s> at the end where one may follow, and the
        margin of each step's choice."""
        config, generation = model.config, model.generation_config
        sequence = ids + [config.eos_token_id]
        sequence = sequence[:generation.max_length - 1]
        inputs = torch.tensor([[config.decoder_start_token_id] + sequence])
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([source]), decoder_input_ids=inputs).logits[0]
        generation._eos_token_tensor = torch.tensor([config.eos_token_id])
        processors = self.processors(model, beam)
        sums = []
        for i, token in enumerate(sequence):
            scores = logits[i:i + 1].float()
            scores = scores if beam == 1 else torch.log_softmax(scores, -1)
            scores = processors(inputs[:, :i + 1], scores)
            sums.append((scores[0], token))
        return sums

    def margin(self, model, source, ours, theirs, beam):
        """How much better transformers finds its own translation: at the first difference where it
        is greedy, by the scores of the whole with a beam."""
        if beam == 1:
            i = next(i for i, (a, b) in enumerate(zip(ours + [-1], theirs + [-1])) if a != b)
            eos = model.config.eos_token_id
            scores = self.steps(model, source, theirs, beam)[i][0]
            return (scores[(theirs + [eos])[i]] - scores[(ours + [eos])[i]]).item()
        totals = []
        for ids in (theirs, ours):
            steps = self.steps(model, source, ids, beam)
            total = sum(scores[token].item() for scores, token in steps)
            totals.append(total / len(steps) ** model.generation_config.length_penalty)
        return totals[0] - totals[1]

    def check_search(self, folder, exact, sources, beam):
        lines = [" ".join(map(str, source)) for source in sources]
        found = self.run_program(folder, "search", beam, 1000, lines=lines)
        self.assertEqual(len(found), len(sources))
        differ = ended = 0
        for source, line, theirs in zip(sources, found, self.best(exact, sources, beam)):
            ours = [int(word) for word in line.split("|")[0].split()]
            ended += len(theirs) < MAX_LENGTH - 2
            if ours == theirs:
                continue
            differ += 1
            margin = self.margin(exact, source, ours, theirs, beam)
            self.assertLess(abs(margin), MARGIN, f"{source}: {ours}, transformers {theirs}")
        print(f"{folder.name}: beam {beam}: {len(sources)} inputs, {ended} ended by themselves, "
              f"{differ} differ where transformers' margin is under {MARGIN}")

    @staticmethod
    def load_exact(name, folder):
        exact = MODELS[name][0][1].from_pretrained(folder, dtype=torch.float64).eval()
        # Pegasus stores its sines too, rounded as all else. vkseq computes them.
        for stack in (exact.model.encoder, exact.model.decoder):
            if hasattr(stack.embed_positions, "create_weight"):
                with torch.no_grad():
                    stack.embed_positions.weight.copy_(stack.embed_positions.create_weight())
        return exact

    def check_model(self, name):
        model = make_model(name, 1 + list(MODELS).index(name))
        folder = self.store(name, model)
        exact = self.load_exact(name, folder)
        sources = self.inputs(model, NUM_INPUTS)
        self.check_logits(folder, exact, sources[:NUM_LOGITS])
        for beam in (1, 4):
            self.check_search(folder, exact, sources, beam)

    def check_halves(self, name):
        model = make_model(name, 1 + list(MODELS).index(name)).half()
        folder = self.store(name + "_float16", model)
        self.check_logits(folder, self.load_exact(name, folder), self.inputs(model, NUM_LOGITS),
                          "float16")

    def test_what_vkseq_saves_is_what_it_read(self):
        for name in ("marian_tied_swish", "marian_separate_relu", "marian_untied_gelu",
                     "pegasus_gelu", "m2m100_relu", "m2m100_untied_swish", "mbart_gelu"):
            with self.subTest(name):
                model_class = MODELS[name][0][1]
                folder = self.store(name + "_saved", make_model(name, 3))
                model = model_class.from_pretrained(folder, dtype=torch.float32).eval()
                again = self.folder / (name + "_again")
                self.run_program(folder, "save", again)
                loaded, info = model_class.from_pretrained(again, output_loading_info=True)
                self.assertEqual(info["mismatched_keys"], set())
                self.assertEqual(info["unexpected_keys"], set())
                self.assertEqual(type(loaded), type(model))
                source = torch.tensor([self.inputs(model, 1)[0]])
                target = torch.tensor([[model.config.decoder_start_token_id, 5, 6, 7]])
                with torch.no_grad():
                    difference = (model(input_ids=source, decoder_input_ids=target).logits -
                                  loaded.eval()(input_ids=source, decoder_input_ids=target).logits)
                self.assertLess(difference.abs().max().item(), 1e-5)
                for key in ("num_beams", "max_length", "length_penalty", "early_stopping",
                            "forced_bos_token_id", "forced_eos_token_id", "bad_words_ids",
                            "decoder_start_token_id", "no_repeat_ngram_size"):
                    expected = getattr(model.generation_config, key)
                    found = getattr(loaded.generation_config, key)
                    self.assertTrue(found == expected or (not found and not expected) or
                                    (key == "length_penalty" and {found, expected} == {None, 1.0}),
                                    f"{key}: {found}, expected {expected}")

    def test_every_kind_of_file_gives_the_same(self):
        model = make_model("marian_tied_swish", 4)
        whole = self.store("files", model)
        source = [" ".join(map(str, self.inputs(model, 1)[0])) + " | 96 4 5 6"]
        expected = self.run_program(whole, "logits", lines=source, text=False)
        shards = self.folder / "shards"
        model.save_pretrained(shards, max_shard_size="20KB")
        self.assertTrue((shards / "model.safetensors.index.json").exists())
        self.assertEqual(self.run_program(shards, "logits", lines=source, text=False), expected)
        single = self.folder / "bin"
        single.mkdir()
        sharded_bin = self.folder / "bin_shards"
        sharded_bin.mkdir()
        for folder in (single, sharded_bin):
            for file in ("config.json", "generation_config.json"):
                shutil.copy(whole / file, folder)
        state = model.state_dict()
        torch.save(state, single / "pytorch_model.bin")
        self.assertEqual(self.run_program(single, "logits", lines=source, text=False), expected)
        # Views into one storage, transposed.
        turned = {key: value.t().contiguous().t() if value.dim() == 2 else value
                  for key, value in state.items()}
        torch.save(turned, single / "pytorch_model.bin")
        self.assertEqual(self.run_program(single, "logits", lines=source, text=False), expected)
        weight_map = {}
        for i, key in enumerate(state):
            weight_map[key] = f"pytorch_model-0000{i % 3 + 1}-of-00003.bin"
        for file in set(weight_map.values()):
            torch.save({key: state[key].clone() for key in state if weight_map[key] == file},
                       sharded_bin / file)
        (sharded_bin / "pytorch_model.bin.index.json").write_text(
            json.dumps({"metadata": {}, "weight_map": weight_map}))
        self.assertEqual(self.run_program(sharded_bin, "logits", lines=source, text=False),
                         expected)


for model_name in MODELS:
    def test(self, name=model_name):
        self.check_model(name)

    def test_halves(self, name=model_name):
        self.check_halves(name)
    setattr(HuggingFaceModels, "test_" + model_name, test)
    setattr(HuggingFaceModels, f"test_{model_name}_in_float16", test_halves)


if __name__ == "__main__":
    print(f"transformers {transformers.__version__}, torch {torch.__version__}", flush=True)
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]], verbosity=2)
