"""`cleave bench-serve` against `cleave serve`, and against servers that answer as none should."""
import json
import os
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest
import xml.dom.minidom

from serving import CLEAVE, SECONDS, Case, Server

SMALL = ("--prompt-tokens", "10:30", "--answer-tokens", "3:8")


def bench(*arguments, env=None):
    return subprocess.run([CLEAVE, "bench-serve", *map(str, arguments)], capture_output=True, text=True, timeout=SECONDS, env=env)


class AgainstOurServer(Case):
    def report(self, *flags):
        path = self.folder / "report.json"
        done = bench(self.server.address, *flags, "--json", path)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout, json.loads(path.read_text())

    def test_a_closed_loop_counts_what_the_server_counts(self):
        before = self.server.metric("cleave_generation_tokens_total")
        picture = self.folder / "picture.svg"
        text, report = self.report("--concurrency", 4, "--requests", 12, *SMALL, "--ttft-ms", 60000, "--svg", picture)
        self.server.wait_until(self.server.is_idle)
        self.assertEqual(report["requests"], {"done": 12, "failed": 0, "under_way": 0})
        self.assertEqual(report["answer_tokens"], self.server.metric("cleave_generation_tokens_total") - before)
        self.assertTrue(report["tokens_counted_by_server"])
        self.assertEqual((report["most_under_way"], report["within_limits"]), (4, 12))
        self.assertEqual(report["first"]["count"], 12)
        for text_part in ("12 done, 0 failed", "first text", "goodput", "processor time", "SmolLM2"):
            self.assertIn(text_part, text)
        xml.dom.minidom.parse(str(picture))

    def test_made_up_prompts_have_the_length_that_is_asked_for(self):
        _, report = self.report("--api", "completions", "--requests", 3, "--prompt-tokens", 200, "--answer-tokens", 2)
        self.assertAlmostEqual(report["prompt_tokens"] / 3, 200, delta=20)
        self.assertEqual(report["answer_tokens"], 6)

    def test_an_open_loop_takes_its_time(self):
        _, report = self.report("--rate", 20, "--seconds", 2, *SMALL, "--warmup", 1)
        self.assertEqual(report["requests"]["failed"], 0)
        self.assertTrue(20 <= report["requests"]["done"] <= 60, report["requests"])
        self.assertIsNone(report["answer_tokens_per_second_with_most_under_way"])

    def test_agents_find_their_conversation_in_the_cache(self):
        for api in ("chat", "completions"):
            with self.subTest(api):
                text, report = self.report("--api", api, "--agents", 2, "--turns", 3, "--head-tokens", 200, "--tool-tokens", 20,
                                           *SMALL)
                self.assertEqual(report["requests"]["done"], 6)
                self.assertEqual({turn: times["count"] for turn, times in report["first_by_turn"].items()}, {"1": 2, "2": 2, "3": 2})
                self.assertGreater(report["cached_tokens"], report["prompt_tokens"] / 3)
                self.assertIn("first text, turn 3", text)

    def test_requests_of_a_file_are_sent_as_they_are(self):
        path = self.folder / "requests.jsonl"
        path.write_text('{"prompt": "Hello", "max_tokens": 2}\n'
                        '{"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 3, "ignore_eos": true}\n'
                        '{"prompt": "Hello", "temperature": -1}\n')
        _, report = self.report("--file", path, "--requests", 3)
        self.assertEqual(report["requests"], {"done": 2, "failed": 1, "under_way": 0})
        self.assertEqual(report["failures"], {"400": 1})
        self.assertIn("temperature", report["problems"]["400"])
        self.assertEqual(report["answer_tokens"], 5)
        path.write_text('{"prompt": "a"}\n{"text": 3}\n')
        self.assertRegex(bench(self.server.address, "--file", path).stderr, "^cleave: error: .*: line 2: wanted an object with")

    def test_ctrl_c_tells_what_is_done(self):
        program = subprocess.Popen([CLEAVE, "bench-serve", self.server.address, "--concurrency", "2", "--seconds", "60",
                                    "--answer-tokens", "3:2000"], stdout=subprocess.PIPE, text=True)
        self.server.wait_until(lambda: not self.server.is_idle())
        time.sleep(0.5)
        program.send_signal(signal.SIGINT)
        output, _ = program.communicate(timeout=10)
        self.assertEqual(program.returncode, 0)
        self.assertIn("2 under way at the end", output)
        self.server.wait_until(self.server.is_idle, 10)

    def test_a_run_ends_in_time(self):
        begin = time.monotonic()
        _, report = self.report("--seconds", 1, "--drain-seconds", 0.5, "--concurrency", 2, "--answer-tokens", 2000)
        self.assertLess(time.monotonic() - begin, 10)
        self.assertEqual(report["requests"]["under_way"], 2)
        done = bench(self.server.address, "--requests", 3, "--concurrency", 3, "--timeout", 0.001, "--answer-tokens", 2000)
        self.assertIn("none of 3 requests was answered; timeout", done.stderr)


class OtherWays(unittest.TestCase):
    def test_keys_and_unix_sockets(self):
        with open("/tmp/cleave_bench_key_%d" % os.getpid(), "w") as file:
            file.write("# of the office\n\nsecret \nanother\n")
        self.addCleanup(os.unlink, file.name)
        path = file.name + ".socket"
        server = Server("--api-key-file", file.name, "--unix-socket", path)
        try:
            done = bench("unix:" + path, "--requests", 2, *SMALL, "--api-key-file", file.name)
            self.assertIn("2 done, 0 failed", done.stdout)
            done = bench("unix:" + path, env={"OPENAI_API_KEY": "wrong"})
            self.assertRegex(done.stderr, "^cleave: error: .*answers 401: .*; the key is not one of its own\n$")
            self.assertIn("give a key with --api-key-file", bench("unix:" + path, env={}).stderr)
        finally:
            server.end()


    def test_tls_takes_certificates_that_are_trusted(self):
        with tempfile.TemporaryDirectory(prefix="cleave_server_") as folder:
            cert, key = folder + "/cert.pem", folder + "/key.pem"
            made = subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "1",
                                   "-keyout", key, "-out", cert], capture_output=True, timeout=SECONDS)
            self.assertEqual(made.returncode, 0, made.stderr)
            server = Server("--cert", cert, "--key", key)
            try:
                named = "https://localhost:%d" % server.port
                for flags in ((named, "--ca", cert), (server.address, "--insecure")):
                    self.assertIn("2 done, 0 failed", bench(*flags, "--requests", 2, *SMALL).stdout)
                for flags in ((named,), (server.address, "--ca", cert)):  # not known; not this name's
                    self.assertIn("certificate verify failed", bench(*flags, "--requests", 2, *SMALL).stderr)
                self.assertIn("without an answer", bench("http://localhost:%d" % server.port).stderr)
            finally:
                server.end()

    def test_tls_names_the_server_where_it_has_a_name(self):
        with tempfile.TemporaryDirectory(prefix="cleave_server_") as folder:
            cert, key = folder + "/cert.pem", folder + "/key.pem"
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "1",
                            "-keyout", key, "-out", cert], capture_output=True, timeout=SECONDS, check=True)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(cert, key)
            names = []
            context.sni_callback = lambda _, name, __: names.append(name)
            for host, name in (("localhost", "localhost"), ("127.0.0.1", None)):  # RFC 6066 has no addresses there
                server = Scripted(STREAM_OF_ONE, tls=context)
                try:
                    done = bench(server.url.replace("http://127.0.0.1", "https://" + host), "--insecure", "--model", "m", "--requests", 1)
                finally:
                    server.close()
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(set(names), {name})
                names.clear()


class Scripted:
    """A server that answers each request with the same bytes, and goes away."""

    def __init__(self, *answers, tls=None):
        self.answers = answers
        self.tls = tls
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d" % self.socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        for number in range(1000):
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            if self.tls:
                try:
                    client = self.tls.wrap_socket(client, server_side=True)
                except OSError:
                    continue
            with client:
                client.recv(65536)
                try:
                    for piece in self.answers[min(number, len(self.answers) - 1)]:
                        client.sendall(piece)
                except OSError:
                    pass

    def close(self):
        self.socket.close()


def reply(status, kind, body):
    return [b"HTTP/1.1 %d X\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s" % (status, kind, len(body), body)]


STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
STREAM_OF_ONE = [STREAM, b'data: {"choices": [{"delta": {"content": "a"}}]}\n\ndata: [DONE]\n\n']


class AgainstOthers(unittest.TestCase):
    def problem(self, *answers, flags=()):
        server = Scripted(*answers)
        try:
            done = bench(server.url, *flags, "--requests", 2, "--concurrency", 1)
        finally:
            server.close()
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertRegex(done.stderr, r"^(cleave: the server has no /tokenize.*\n)?cleave: error: [^\n]*\n$")
        return done.stderr

    def test_what_is_no_such_server_is_named(self):
        self.assertIn("Connection refused", bench("http://127.0.0.1:1").stderr)
        self.assertIn("wanted http://HOST:PORT", bench("ftp://a").stderr)
        self.assertIn("has no address", bench("http://no-such-host.invalid").stderr)
        self.assertIn("with a web page", self.problem(reply(200, b"text/html", b"<html>")))
        self.assertIn("answers 404: <html>; wanted the address", self.problem(reply(404, b"text/plain", b"<html>")))
        self.assertIn("names no model", self.problem(reply(200, b"application/json", b'{"data": []}')))
        self.assertIn("not valid JSON", self.problem(reply(200, b"application/json", b"{")))
        self.assertIn("no HTTP", self.problem([b"SSH-2.0-OpenSSH\r\n\r\n"]))
        self.assertIn("without an answer", self.problem([]))
        self.assertIn("more than 16 MiB", self.problem([b"HTTP/1.1 200 OK\r\n\r\n"] + [b"x" * (1 << 20)] * 40))

    def test_streams_that_are_none(self):
        named = ("--model", "m")
        self.assertIn("none of 2 requests was answered; 500: broken",
                      self.problem(reply(500, b"application/json", b'{"error": {"message": "broken"}}'), flags=named))
        self.assertIn("no stream: it answers with application/json",
                      self.problem(reply(200, b"application/json", b"{}"), flags=named))
        self.assertIn("cut stream", self.problem([STREAM + b'data: {"choices": [{"text": "a"}]}\n\n'], flags=named))
        self.assertIn("bad answer: an event of the stream has more than",
                      self.problem([STREAM + b"data: "] + [b"x" * (1 << 20)] * 40, flags=named))

    def test_a_server_that_counts_nothing(self):
        chunk = b'data: {"choices": [{"delta": {"content": "a"}}]}\n\n'
        server = Scripted([STREAM, chunk * 3, b"data: [DONE]\n\n"])
        try:
            done = bench(server.url, "--model", "m", "--requests", 2, "--concurrency", 1)
        finally:
            server.close()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("6 pieces of text (the server does not count tokens)", done.stdout)
        self.assertIn("has no /tokenize", done.stderr)


if __name__ == "__main__":
    unittest.main()
