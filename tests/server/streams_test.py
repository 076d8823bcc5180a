"""Streams: that they say what documents say, and what happens when a client leaves, is slow, or the server ends."""
import json
import socket
import time
import unittest

from serving import ANSWER, QUESTION, Case, Server

LONG = {"prompt": "Once upon a time", "max_tokens": 4000, "ignore_eos": True}


def send(server, body, path="/v1/completions"):
    """A socket with a request on its way."""
    client = socket.create_connection(("127.0.0.1", server.port))
    text = json.dumps(body).encode()
    client.sendall(b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" % (path.encode(), len(text), text))
    return client


class Streams(Case):
    def test_chat(self):
        events = list(self.server.stream("/v1/chat/completions", {
            "messages": QUESTION, "stream": True, "n": 2, "temperature": 0, "stream_options": {"include_usage": True}}))
        self.assertEqual(events[-1], (None, "[DONE]"))
        chunks = [data for _, data in events[:-1]]
        self.assertEqual(len({chunk["id"] for chunk in chunks}), 1)
        self.assertEqual(chunks[-1]["choices"], [])
        self.assertEqual(chunks[-1]["usage"]["completion_tokens"], 16)
        for index in (0, 1):
            mine = [chunk["choices"][0] for chunk in chunks[:-1] if chunk["choices"][0]["index"] == index]
            self.assertEqual(mine[0]["delta"], {"role": "assistant", "content": ""})
            self.assertEqual("".join(choice["delta"].get("content", "") for choice in mine), ANSWER)
            self.assertEqual([choice["finish_reason"] for choice in mine if choice["finish_reason"]], ["stop"])

    def test_messages(self):
        events = list(self.server.stream("/v1/messages", {"messages": QUESTION, "max_tokens": 20, "stream": True}))
        names = [name for name, _ in events if name != "content_block_delta"]
        self.assertEqual(names, ["message_start", "content_block_start", "content_block_stop", "message_delta", "message_stop"])
        text = "".join(data["delta"]["text"] for name, data in events if name == "content_block_delta")
        self.assertEqual(text, ANSWER)
        self.assertEqual(events[0][1]["message"]["usage"]["input_tokens"], 37)

    def test_responses(self):
        events = list(self.server.stream("/v1/responses", {"input": QUESTION[0]["content"], "stream": True}))
        self.assertEqual([data["sequence_number"] for _, data in events], list(range(len(events))))
        self.assertEqual(events[0][0], "response.created")
        self.assertEqual(events[-1][0], "response.completed")
        text = "".join(data["delta"] for name, data in events if name == "response.output_text.delta")
        self.assertEqual(text, ANSWER)
        self.assertEqual(events[-1][1]["response"]["output"][0]["content"][0]["text"], ANSWER)

    def test_mistakes_are_told_before_a_stream_begins(self):
        status, headers, _ = self.server.post("/v1/chat/completions", {"messages": [], "stream": True})
        self.assertEqual((status, headers["content-type"]), (400, "application/json"))

    def test_the_deadline_of_a_request_ends_it(self):
        begin = time.monotonic()
        status, headers, _ = self.server.post("/v1/completions", {**LONG, "timeout": 0.5})
        self.assertEqual((status, headers["x-should-retry"]), (408, "false"))
        self.assertLess(time.monotonic() - begin, 5)
        events = list(self.server.stream("/v1/completions", {**LONG, "timeout": 0.5, "stream": True}))
        self.assertIn("error", events[-1][1])


class Leaving(Case):
    FLAGS = ("--parallel", "2")

    def assert_becomes_idle(self, seconds=3):
        self.server.wait_until(self.server.is_idle, seconds)

    def test_a_client_that_leaves_ends_its_answers(self):
        before = self.server.metric('cleave_request_success_total{finished_reason="abort"}')
        for more in ({"stream": True}, {"stream": False}, {"stream": True, "n": 4}):
            with self.subTest(more):
                client = send(self.server, {**LONG, **more})
                self.server.wait_until(lambda: not self.server.is_idle())
                client.close()
                self.assert_becomes_idle()
        after = self.server.metric('cleave_request_success_total{finished_reason="abort"}')
        self.assertEqual(after - before, 6)
        self.assertTrue(any(" 499 POST" in line for line in self.server.log))

    def test_queued_ones_end_at_once(self):
        clients = [send(self.server, {**LONG, "stream": True}) for _ in range(6)]
        self.server.wait_until(lambda: self.server.metric("cleave_num_requests_waiting") > 0)
        for client in reversed(clients):
            client.close()
        self.assert_becomes_idle()

    def test_half_a_close_counts_as_leaving(self):
        client = send(self.server, LONG)
        client.shutdown(socket.SHUT_WR)
        self.assert_becomes_idle()
        client.close()

    def test_a_slow_reader_gets_all_and_holds_up_nobody(self):
        slow = socket.socket()
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect(("127.0.0.1", self.server.port))
        ask = {**LONG, "max_tokens": 100, "logprobs": 50}  # 4 KB for each token
        text = json.dumps({**ask, "stream": True}).encode()
        slow.sendall(b"POST /v1/completions HTTP/1.0\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text))
        other = self.server.post("/v1/completions", {**LONG, "max_tokens": 20})
        self.assertEqual(other[0], 200)
        self.assert_becomes_idle(60)
        received = b""
        while piece := slow.recv(65536):
            received += piece
        slow.close()
        chunks = [json.loads(line[6:]) for line in received.decode().splitlines()
                  if line.startswith("data: {")]
        whole = self.server.post("/v1/completions", ask)[2]["choices"][0]["text"]
        self.assertEqual("".join(chunk["choices"][0]["text"] for chunk in chunks), whole)
        self.assertTrue(received.endswith(b"data: [DONE]\n\n"))


class Silence(unittest.TestCase):
    def test_a_stream_that_waits_gets_signs_of_life(self):
        server = Server("--parallel", 1, "--ping-seconds", 1)
        try:
            first = send(server, {**LONG, "stream": True})
            server.wait_until(lambda: server.metric("cleave_num_requests_running") == 1)
            second = send(server, {**LONG, "stream": True})
            second.settimeout(10)
            received = b""
            while b": ping\n\n" not in received:
                received += second.recv(4096)
            first.close()
            second.close()
            server.wait_until(server.is_idle)
        finally:
            server.end()


if __name__ == "__main__":
    unittest.main()
