"""`cleave serve` with an encoder: /v1/embeddings as OpenAI's clients ask for them, against what Transformers and `cleave embed` computed."""
import base64
import json
import math
import pathlib
import shutil
import struct
import subprocess
import tempfile
import threading
import unittest

from serving import CLEAVE, DATA, Case, Server

ENCODER = DATA / "encoders" / "bert"
WORDS = 131
TOKENIZER = {"version": "1.0", "added_tokens": [], "normalizer": None, "pre_tokenizer": {"type": "Whitespace"},
             "post_processor": None, "decoder": None, "truncation": None, "padding": None,
             "model": {"type": "WordLevel", "vocab": {f"w{i}": i for i in range(WORDS)}, "unk_token": "w0"}}
LENGTH = 128  # of texts, at most
WIDTH = 48


def write_encoder(model, normalizes=False):
    """The reference encoder as a model of sentence-transformers: the mean of the tokens, with a prompt."""
    shutil.copytree(ENCODER, model, copy_function=shutil.copyfile)
    modules = ["Transformer", "Pooling", *(["Normalize"] if normalizes else [])]
    (model / "modules.json").write_text(json.dumps([
        {"idx": i, "name": str(i), "path": f"{i}_{name}" if i else "", "type": f"sentence_transformers.models.{name}"}
        for i, name in enumerate(modules)]))
    (model / "1_Pooling").mkdir()
    (model / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_mean_tokens": True}))
    (model / "tokenizer.json").write_text(json.dumps(TOKENIZER))
    (model / "config_sentence_transformers.json").write_text(json.dumps({"prompts": {"query": "w40 "}}))
    return model


def references():
    """[(ids, mean of the tokens' states)] as Transformers computed them."""
    content = (ENCODER / "expected.safetensors").read_bytes()
    size = struct.unpack("<Q", content[:8])[0]
    header, data = json.loads(content[8:8 + size]), content[8 + size:]

    def numbers(name, form):
        part = data[slice(*header[name]["data_offsets"])]
        return header[name]["shape"], struct.unpack("<" + form * (len(part) // 4), part)

    cases = []
    for i in range(2):
        ids = numbers(f"input_ids_{i}", "i")[1]
        (rows, width), states = numbers(f"hidden_{i}", "f")
        cases.append((list(ids), [sum(states[r * width + d] for r in range(rows)) / rows for d in range(width)]))
    return cases


def text_of(ids):
    return " ".join(f"w{i}" for i in ids)


def unit(vector):
    length = math.sqrt(sum(x * x for x in vector))
    return [x / length for x in vector]


class Encoder(Case):
    NORMALIZES = False

    @classmethod
    def setUpClass(cls):
        holder = tempfile.TemporaryDirectory(prefix="cleave_server_")
        cls.addClassCleanup(holder.cleanup)
        cls.model = write_encoder(pathlib.Path(holder.name) / "encoder", cls.NORMALIZES)
        cls.server = Server("--exact", "--tp", 2, *cls.FLAGS, model=cls.model)
        cls.cases = references()
        cls.texts = [text_of(ids) for ids, _ in cls.cases]

    def ask(self, server=None, headers=None, **body):
        return (server or self.server).post("/v1/embeddings", {"model": "encoder", **body}, headers)

    def vectors(self, **body):
        status, _, reply = self.ask(**body)
        self.assertEqual(status, 200, reply)
        self.assertEqual([entry["index"] for entry in reply["data"]], list(range(len(reply["data"]))))
        return [entry["embedding"] for entry in reply["data"]]

    def assert_near(self, got, wanted, error=1e-4):
        self.assertEqual(len(got), len(wanted))
        self.assertLessEqual(max(abs(a - b) for a, b in zip(got, wanted)), error * max(map(abs, wanted)))

    def embedded(self, texts, *flags):
        """The vectors that `cleave embed` gives."""
        done = subprocess.run([CLEAVE, "embed", self.model, "--exact", "--tp", "2", "--jsonl", *map(str, flags)], text=True,
                              input="".join(json.dumps(text) + "\n" for text in texts), capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]


class Vectors(Encoder):
    def test_are_those_of_texts_and_of_tokens(self):
        status, _, reply = self.ask(input=self.texts)
        self.assertEqual(status, 200)
        for entry, (_, wanted) in zip(reply["data"], self.cases):
            self.assert_near(entry["embedding"], wanted)
            self.assertEqual(entry["object"], "embedding")
        tokens = sum(len(ids) for ids, _ in self.cases)
        self.assertEqual(reply["usage"], {"prompt_tokens": tokens, "total_tokens": tokens})
        self.assertEqual((reply["object"], reply["model"]), ("list", "encoder"))
        ids, wanted = self.cases[1]
        for given in (self.texts[1], [self.texts[1]], ids, [ids]):
            self.assert_near(self.vectors(input=given)[0], wanted)
        mixed = self.vectors(input=[self.texts[0], ids])
        self.assert_near(mixed[0], self.cases[0][1])
        self.assert_near(mixed[1], wanted)

    def test_are_those_of_cleave_embed(self):
        texts = [text_of([(7 * i + k) % WORDS for k in range(1 + i * 13 % LENGTH)]) for i in range(60)]
        for got, wanted in zip(self.vectors(input=texts), self.embedded(texts)):
            self.assert_near(got, wanted, 1e-6)

    def test_in_base64_are_the_same_to_the_bit(self):
        numbers = self.vectors(input=self.texts)
        for text, wanted in zip(self.vectors(input=self.texts, encoding_format="base64"), numbers):
            self.assertEqual(list(struct.unpack(f"<{WIDTH}f", base64.b64decode(text))), wanted)

    def test_have_fewer_dimensions_where_asked(self):
        got = self.vectors(input=self.texts[0], dimensions=7)[0]
        self.assertEqual(got, self.vectors(input=self.texts[0])[0][:7])

    def test_follow_a_prompt(self):
        ids, wanted = self.cases[0]
        self.assertEqual(ids[0], 40)
        self.assert_near(self.vectors(input=text_of(ids[1:]), prompt_name="query")[0], wanted)

    def test_of_many_requests_at_once(self):
        results = []

        def ask(i):
            results.append((i, self.vectors(input=[self.texts[i % 2]] * (1 + i))))

        threads = [threading.Thread(target=ask, args=(i,)) for i in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(results), 12)
        for i, got in results:
            self.assertEqual(len(got), 1 + i)
            for vector in got:
                self.assert_near(vector, self.cases[i % 2][1])

    def test_texts_that_are_cut(self):
        long = text_of(range(LENGTH + 5))
        self.assertEqual(self.vectors(input=long, truncate=True), self.vectors(input=text_of(range(LENGTH))))
        self.assertEqual(self.vectors(input=list(range(LENGTH + 2)), truncate=True), self.vectors(input=list(range(LENGTH))))
        for given, path in ((long, "input"), (["w1", long], "input[1]"), ([[1], list(range(LENGTH + 1))], "input[1]")):
            error = self.assert_refused(self.ask(input=given), 400, f"at most {LENGTH} tokens")
            self.assertEqual((error["code"], error["param"], error["n_ctx"]), ("context_length_exceeded", path, LENGTH))


class Rest(Encoder):
    def test_refuses_what_it_cannot_do(self):
        for body, param, part in (({}, "input", "input"), ({"input": []}, "input", "1 to 2048"), ({"input": ""}, "input", "empty"),
                                  ({"input": [[]]}, "input[0]", "one token"), ({"input": 5}, "input", "5"),
                                  ({"input": "   "}, "input", "no tokens"), ({"input": [1, "a"]}, "input[1]", "whole number"),
                                  ({"input": [[WORDS]]}, "input[0]", f"token {WORDS}"),
                                  ({"input": "w4", "encoding_format": "text"}, "encoding_format", "base64"),
                                  ({"input": "w4", "dimensions": 49}, "dimensions", f"at most {WIDTH}"),
                                  ({"input": "w4", "prompt_name": "nobody"}, "prompt_name", "query")):
            error = self.assert_refused(self.ask(**body), 400, part)
            self.assertEqual((error["param"], error["type"]), (param, "invalid_request_error"), body)
        self.assert_refused(self.ask(input="w4", model="other"), 404, "other")
        self.assert_refused(self.server.post("/v1/embeddings", b"{"), 400, "JSON")
        self.assertEqual(self.server.get("/v1/embeddings")[1]["Allow"], "POST")

    def test_says_that_it_generates_nothing(self):
        message = [{"role": "user", "content": "w4"}]
        for path, body in (("/v1/chat/completions", {"messages": message}), ("/v1/completions", {"prompt": "w4"}),
                           ("/v1/responses", {"input": "w4"}), ("/v1/messages", {"messages": message, "max_tokens": 4})):
            error = self.assert_refused(self.server.post(path, body), 400, "encoder is an embedding model", "/v1/embeddings")
            self.assertEqual(error.get("type"), "invalid_request_error")
        self.assert_refused(self.server.post("/apply-template", {"messages": message}), 400, "embedding model")
        self.assert_refused(self.server.post("/v1/rerank", {"query": "a", "documents": ["b"]}), 400, "ranks nothing")

    def test_tells_of_itself(self):
        model, = self.server.get("/v1/models")[2]["data"]
        self.assertEqual((model["id"], model["max_model_len"]), ("encoder", LENGTH))
        self.assertEqual(self.server.get("/ready")[0], 200)
        self.assertEqual(self.server.get("/health")[0], 200)
        status = self.server.get("/status")[2]
        self.assertEqual((status["state"], len(status["ranks"]), status["model"]["context"]), ("serving", 2, LENGTH))
        self.assertEqual(self.server.post("/tokenize", {"prompt": "w4 w5"})[2]["tokens"], [4, 5])

    def test_counts_and_logs_requests(self):
        before = self.server.metric("cleave_prompt_tokens_total")
        self.ask(input=["w4 w5", [1, 2, 3]], headers={"x-request-id": "vectors-1"})
        self.assertEqual(self.server.metric("cleave_prompt_tokens_total") - before, 5)
        self.server.wait_until(lambda: any("vectors-1" in line for line in self.server.log))
        line = next(line for line in self.server.log if "vectors-1" in line)
        self.assertIn("200", line)
        self.assertNotIn("w4", line)


class Normalized(Encoder):
    NORMALIZES = True

    def test_vectors_that_are_cut_have_length_1_again(self):
        texts = self.texts
        for got, (_, wanted) in zip(self.vectors(input=texts), self.cases):
            self.assert_near(got, unit(wanted))
        cut = self.embedded(texts, "--dimensions", 9, "--normalize")
        for got, wanted in zip(self.vectors(input=texts, dimensions=9), cut):
            self.assert_near(got, wanted, 1e-6)
            self.assertAlmostEqual(sum(x * x for x in got), 1, places=5)


class Load(Encoder):
    FLAGS = ("--max-queue", 3, "--api-key-file", "KEYS")
    KEY = {"Authorization": "Bearer secret-of-tests"}
    MANY = {"model": "encoder", "input": [[(i + k) % WORDS for k in range(LENGTH)] for i in range(2048)]}

    @classmethod
    def setUpClass(cls):
        with tempfile.NamedTemporaryFile("w", prefix="cleave_keys_") as keys:
            keys.write("secret-of-tests\n")
            keys.flush()
            cls.FLAGS = (*cls.FLAGS[:-1], keys.name)
            super().setUpClass()

    def state(self):
        return self.server.get("/status", self.KEY)[2]["now"]

    def is_idle(self):
        now = self.state()
        return now["running"] + now["waiting"] == 0

    def begin(self, body):
        connection = self.server.connect()
        connection.request("POST", "/v1/embeddings", json.dumps(body), self.KEY)
        return connection

    def test_wants_a_key(self):
        self.assert_refused(self.ask(input="w4"), 401, "key")
        self.assertEqual(self.ask(input="w4", headers=self.KEY)[0], 200)

    def test_refuses_more_than_it_can_hold_and_computes_nothing_for_those_who_left(self):
        before = self.state()
        connections = [self.begin(self.MANY) for _ in range(3)]
        self.server.wait_until(lambda: self.state()["prompt_tokens"] - before["prompt_tokens"] >= LENGTH * 2048)
        status, headers, body = self.ask(input="w4", headers=self.KEY)
        self.assertEqual((status, body["error"]["code"]), (503, "overloaded"))
        self.assertGreaterEqual(int(headers["Retry-After"]), 1)
        self.assert_refused(self.server.get("/ready", self.KEY), 503)
        for connection in connections:
            connection.close()
        self.server.wait_until(self.is_idle)
        after = self.state()
        self.assertLess(after["computed_prompt_tokens"] - before["computed_prompt_tokens"], 3 * LENGTH * 2048)
        self.server.wait_until(lambda: sum(" 499 " in line for line in self.server.log) == 3)
        self.assertEqual(self.ask(input="w4", headers=self.KEY)[0], 200)

    def test_answers_short_requests_beside_long_ones(self):
        connection = self.begin(self.MANY)
        self.server.wait_until(lambda: not self.is_idle())
        status, _, _ = self.ask(input="w4", headers=self.KEY)
        self.assertEqual(status, 200)
        self.assertFalse(self.is_idle(), "the long one is over, too")
        response = connection.getresponse()
        self.assertEqual(len(json.loads(response.read())["data"]), 2048)
        connection.close()


class End(Encoder):
    def test_answers_what_is_under_way_when_it_is_told_to_end(self):
        server = Server("--exact", model=self.model)
        replies = []
        reader = threading.Thread(target=lambda: replies.append(server.post("/v1/embeddings", Load.MANY)))
        reader.start()
        server.wait_until(lambda: server.metric("cleave_num_requests_running") == 1)
        server.end()
        reader.join()
        (status, _, body), = replies
        self.assertEqual((status, len(body["data"])), (200, 2048))


if __name__ == "__main__":
    unittest.main()
