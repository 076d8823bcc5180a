"""The life of `cleave serve`: keys, limits, overload, TLS, settings, logs, ranks, and its end."""
import json
import os
import signal
import socket
import ssl
import subprocess
import threading
import time
import unittest

from serving import ANSWER, CLEAVE, MPIRUN, QUESTION, SECONDS, SMOLLM2, Case, Server

LONG = {"prompt": "Once upon a time", "max_tokens": 4000, "ignore_eos": True}
CHAT = {"messages": QUESTION, "max_tokens": 20}


class Doors(Case):
    def test_health_is_quick_while_the_model_computes(self):
        threads = [threading.Thread(target=self.server.post, args=("/v1/completions", {**LONG, "max_tokens": 40})) for _ in range(8)]
        for thread in threads:
            thread.start()
        slowest = 0
        while any(thread.is_alive() for thread in threads):
            begin = time.monotonic()
            self.assertEqual(self.server.get("/health")[0], 200)
            slowest = max(slowest, time.monotonic() - begin)
        for thread in threads:
            thread.join()
        self.assertLess(slowest, 1)  # 50 ms where the machine is free

    def test_one_connection_takes_many_requests_and_chunked_bodies(self):
        connection = self.server.connect()
        for _ in range(3):
            connection.request("POST", "/v1/chat/completions", iter([json.dumps(CHAT).encode()]), {"Transfer-Encoding": "chunked"},
                               encode_chunked=True)
            self.assertEqual(json.loads(connection.getresponse().read())["choices"][0]["message"]["content"], ANSWER)
        connection.close()

    def test_bodies_and_heads_that_are_too_long(self):
        answer = self.server.post("/v1/messages", b"x" * (40 << 20))
        self.assertEqual((answer[0], answer[2]["error"]["type"]), (413, "request_too_large"))
        self.assertEqual(self.server.get("/health", {"X": "y" * 100000})[0], 431)

    def test_garbage_is_answered_and_the_server_goes_on(self):
        for garbage in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET\r\n\r\n", b"\x00" * 100 + b"\r\n\r\n",
                        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", self.server.port)) as client:
                client.sendall(garbage)
                client.settimeout(5)
                client.recv(100)
        for _ in range(50):  # half a request
            with socket.create_connection(("127.0.0.1", self.server.port)) as client:
                client.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 100\r\n\r\n{")
        self.assertEqual(self.server.get("/health")[0], 200)

    def test_other_machines_names_and_pages_are_refused(self):
        self.assertEqual(self.server.get("/v1/models", {"Host": "evil.example"})[0], 403)
        self.assertEqual(self.server.get("/v1/models", {"Origin": "http://evil.example"})[0], 403)
        status, headers, _ = self.server.get("/v1/models", {"Origin": "http://localhost:3000"})
        self.assertEqual((status, headers["Access-Control-Allow-Origin"]), (200, "http://localhost:3000"))
        status, headers, _ = self.server.ask("OPTIONS", "/v1/chat/completions", None, {
            "Origin": "http://localhost:3000", "Access-Control-Request-Headers": "x-stainless-os,authorization"})
        self.assertEqual((status, headers["Access-Control-Allow-Headers"]), (204, "x-stainless-os,authorization"))

    def test_pages_that_may_read_answers_are_told_so(self):
        def allowed(body):
            _, headers, _ = self.server.post("/v1/completions", body, {"Origin": "http://localhost:3000"})
            return headers["Access-Control-Allow-Origin"]

        for body in ({"prompt": "a", "max_tokens": 1}, {"prompt": "a", "max_tokens": 1, "stream": True}, {"prompt": 5}):
            self.assertEqual(allowed(body), "http://localhost:3000")


class Keys(unittest.TestCase):
    def test_one_of_the_keys_is_wanted_and_never_shown(self):
        path = "/tmp/cleave_test_keys_%d" % os.getpid()
        with open(path, "w") as file:
            file.write("# keys\nfirst-secret\nsecond-secret\n")
        self.addCleanup(os.unlink, path)
        server = Server("--api-key-file", path, "--log", "json")
        try:
            for headers in ({}, {"Authorization": "Bearer wrong"}, {"x-api-key": "first-secre"}):
                for where in ("/v1/models", "/metrics", "/tokenize"):
                    status, _, body = server.get(where, headers)
                    self.assertEqual((status, body["error"]["type"]), (401, "authentication_error"))
            self.assertEqual(server.post("/v1/messages", {}, {})[2]["error"]["type"], "authentication_error")
            for headers in ({"Authorization": "Bearer first-secret"}, {"x-api-key": "second-secret"}):
                self.assertEqual(server.post("/v1/chat/completions", CHAT, headers)[0], 200)
            self.assertEqual(server.get("/health")[0], 200)
            self.assertEqual(server.get("/ready")[0], 200)
        finally:
            server.end()
        log = "".join(server.log)
        self.assertNotIn("secret", log)
        self.assertNotIn("France", log)
        lines = [json.loads(line) for line in server.log if line.startswith("{")]
        self.assertEqual([line["status"] for line in lines], [200, 200])
        self.assertEqual((lines[0]["prompt_tokens"], lines[0]["new_tokens"], lines[0]["finish"]), (37, 8, "stop"))


class Overload(unittest.TestCase):
    def test_what_is_too_much_is_refused_with_a_time(self):
        server = Server("--parallel", 1, "--max-queue", 2)
        try:
            threads = [threading.Thread(target=lambda: list(server.stream("/v1/completions", {**LONG, "max_tokens": 400, "stream": True})))
                       for _ in range(2)]
            for thread in threads:
                thread.start()
            server.wait_until(lambda: server.metric("cleave_num_requests_running") +
                              server.metric("cleave_num_requests_waiting") == 2)
            status, headers, body = server.post("/v1/completions", LONG)
            self.assertEqual((status, body["error"]["type"]), (503, "unavailable_error"))
            self.assertGreaterEqual(int(headers["retry-after"]), 1)
            self.assertEqual(server.post("/v1/messages", CHAT)[2]["error"]["type"], "overloaded_error")
            self.assertEqual(server.get("/ready")[0], 503)
            self.assertEqual(server.get("/health")[0], 200)
            for thread in threads:
                thread.join()
            self.assertEqual(server.post("/v1/chat/completions", CHAT)[0], 200)
        finally:
            server.end()


class End(unittest.TestCase):
    def test_answers_under_way_are_completed(self):
        server = Server()
        events = []
        thread = threading.Thread(target=lambda: events.extend(server.stream("/v1/completions", {**LONG, "max_tokens": 150, "stream": True})))
        thread.start()
        server.wait_until(lambda: events)
        server.process.send_signal(signal.SIGTERM)
        thread.join(SECONDS)
        server.end(with_signal=None)
        self.assertEqual(events[-1], (None, "[DONE]"))
        self.assertEqual(events[-2][1]["choices"][0]["finish_reason"], "length")
        with self.assertRaises(OSError):
            server.get("/health")

    def test_those_that_take_too_long_are_told(self):
        server = Server("--drain-seconds", 1)
        events = []
        thread = threading.Thread(target=lambda: events.extend(server.stream("/v1/completions", {**LONG, "stream": True})))
        thread.start()
        server.wait_until(lambda: events)
        begin = time.monotonic()
        server.end()
        thread.join(SECONDS)
        self.assertLess(time.monotonic() - begin, 10)
        self.assertIn("shutting down", events[-1][1]["error"]["message"])

    def test_a_second_signal_ends_it_at_once(self):
        server = Server()
        thread = threading.Thread(target=lambda: self.assertRaises(Exception, server.post, "/v1/completions", LONG))
        thread.start()
        server.wait_until(lambda: not server.is_idle())
        server.process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        server.end(128 + signal.SIGINT, signal.SIGINT)
        thread.join(SECONDS)


class Places(Case):
    def test_a_port_that_is_taken_is_an_error_in_one_line(self):
        done = subprocess.run([CLEAVE, "serve", str(SMOLLM2), "--port", str(self.server.port)], capture_output=True, timeout=SECONDS)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr.decode(), r"^cleave: error: cannot listen on 127.0.0.1:\d+: Address already in use\n$")

    def test_a_unix_socket(self):
        path = str(self.folder / "socket")
        server = Server("--unix-socket", path)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)
            client.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            self.assertTrue(client.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n"))
        server.end()
        self.assertFalse(os.path.exists(path))

    def test_tls(self):
        cert, key = str(self.folder / "cert.pem"), str(self.folder / "key.pem")
        made = subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "1",
                               "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", cert], capture_output=True)
        self.assertEqual(made.returncode, 0, made.stderr)
        server = Server("--cert", cert, "--key", key)
        self.assertTrue(server.address.startswith("https://"))
        context = ssl.create_default_context(cafile=cert)
        with socket.create_connection(("127.0.0.1", server.port)) as raw, \
                context.wrap_socket(raw, server_hostname="localhost") as client:
            body = json.dumps(CHAT).encode()
            client.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body))
            client.sendall(body)
            received = b""
            while piece := client.recv(65536):
                received += piece
        self.assertIn(ANSWER.encode(), received)
        server.end()

    def test_settings_from_files(self):
        toml, plain = self.folder / "settings.toml", self.folder / "settings.json"
        toml.write_text(f'model = "{SMOLLM2}"\nalias = ["a", "b"]\ncontext = 256\nany-model = true\n')
        plain.write_text(json.dumps({"alias": "a", "context": 300, "any_model": True}))
        for model, flags, context in ((None, ["--settings", toml], 256), (None, ["--settings", toml, "--context", 128], 128),
                                      (SMOLLM2, ["--settings", plain], 300)):
            with self.subTest(flags=flags):
                server = Server(*flags, model=model)
                self.assertEqual(server.get("/v1/models")[2]["data"][0]["max_model_len"], context)
                self.assertEqual(server.post("/v1/chat/completions", {**CHAT, "model": "gpt-4"})[0], 200)
                server.end()
        plain.write_text('{"no-such-flag": 1}')
        done = subprocess.run([CLEAVE, "serve", str(SMOLLM2), "--settings", str(plain)], capture_output=True, timeout=SECONDS)
        self.assertEqual(done.returncode, 2)
        self.assertIn("no-such-flag", done.stderr.decode())


class Ranks(unittest.TestCase):
    def test_two_ranks_say_what_one_says(self):
        server = Server("--tp", 2)
        self.assertEqual(server.post("/v1/chat/completions", CHAT)[2]["choices"][0]["message"]["content"], ANSWER)
        server.end()

    @unittest.skipUnless(MPIRUN, "a build without MPI")
    def test_two_processes_and_the_loss_of_one(self):
        server = Server(before=[MPIRUN, "-np", "2"])
        self.assertEqual(server.post("/v1/chat/completions", CHAT)[2]["choices"][0]["message"]["content"], ANSWER)
        children = subprocess.run(["pgrep", "-P", str(server.process.pid)], capture_output=True, text=True).stdout.split()
        listeners = subprocess.run(["pgrep", "-P", str(server.process.pid), "-x", "cleave"], capture_output=True, text=True).stdout.split()
        self.assertEqual(len(listeners), 2, children)
        follower = max(listeners, key=int)
        events = []
        thread = threading.Thread(target=lambda: events.extend(server.stream("/v1/completions", {**LONG, "stream": True})))
        thread.start()
        server.wait_until(lambda: events)
        begin = time.monotonic()
        os.kill(int(follower), signal.SIGKILL)
        thread.join(SECONDS)
        self.assertLess(time.monotonic() - begin, 10)
        self.assertIn("server has failed", json.dumps(events[-1][1]))
        server.process.wait(SECONDS)
        self.assertNotEqual(server.process.returncode, 0)
        self.assertTrue(any("cleave: error: " in line for line in server.log), server.log)
        server.end(server.process.returncode)


if __name__ == "__main__":
    unittest.main()
