"""The page's files and the documents that its operator's view shows, as a client sees them."""
import os
import re
import signal
import unittest

from serving import MPIRUN, QUESTION, Case, Server

CHAT = {"messages": QUESTION, "max_tokens": 20}


class Page(Case):
    FLAGS = ("--tp", 2)

    def test_every_file_that_the_page_names_is_there(self):
        status, headers, body = self.server.get("/")
        self.assertEqual((status, headers["content-type"]), (200, "text/html; charset=utf-8"))
        self.assertIn("script-src 'self'", headers["content-security-policy"])
        todo, seen = re.findall(r'(?:href|src)="(page/[^"]+)"', body.decode()), set()
        while todo:
            name = todo.pop()
            if name in seen:
                continue
            seen.add(name)
            status, headers, body = self.server.get("/" + name)
            self.assertEqual(status, 200, name)
            self.assertIn("default-src 'none'", headers["content-security-policy"])
            todo += ["page/" + other for other in re.findall(r"from '\./([^']+)'", body.decode())]
        self.assertGreater(len(seen), 10)

    def test_a_file_that_the_browser_has_is_not_sent_again(self):
        status, headers, body = self.server.get("/page/app.js")
        self.assertEqual((status, headers["cache-control"]), (200, "no-cache"))
        connection = self.server.connect()
        for _ in range(2):  # on one connection: nothing may follow the head
            connection.request("GET", "/page/app.js", headers={"If-None-Match": headers["etag"]})
            response = connection.getresponse()
            self.assertEqual((response.status, response.getheader("content-length"), response.read()), (304, None, b""))
        connection.request("HEAD", "/page/app.js")
        response = connection.getresponse()
        self.assertEqual((response.status, int(response.getheader("content-length")), response.read()), (200, len(body), b""))
        connection.close()

    def test_status_tells_ranks_time_tokens_and_requests(self):
        before = self.server.get("/status")[2]
        self.assertEqual(before["state"], "serving")
        self.assertEqual([(rank["pid"], rank["threads"] > 0) for rank in before["ranks"]], [(self.server.process.pid, True)] * 2)
        self.assertTrue(all(rank["weight_bytes"] > 10 << 20 and rank["host"] for rank in before["ranks"]))
        stream = self.server.stream("/v1/completions", {"prompt": "Once", "max_tokens": 2000, "ignore_eos": True, "stream": True})
        next(stream)
        self.server.wait_until(lambda: self.server.get("/status")[2]["now"]["generated_tokens"] > before["now"]["generated_tokens"] + 10)
        status = self.server.get("/status")[2]
        self.assertEqual([(request["path"], request["stream"]) for request in status["requests"]], [("/v1/completions", True)])
        self.assertGreater(status["requests"][0]["generated_tokens"], 0)
        self.assertGreater(status["now"]["kv_used"], 0)
        self.assertNotIn("Once", str(status))
        stream.close()
        self.server.wait_until(self.server.is_idle)
        now = self.server.get("/status")[2]["now"]
        self.assertGreater(now["exchange_seconds"], 0)
        self.assertGreater(now["host_seconds"], 0)
        self.assertLess(now["exchange_seconds"] + now["host_seconds"], now["step_seconds"])
        self.assertAlmostEqual(now["exchange_seconds"], self.server.metric("cleave_exchange_seconds_total"), delta=0.1)

    def test_history_has_the_seconds_before(self):
        self.server.wait_until(lambda: len(self.server.get("/status/history")[2]["uptime_seconds"]) > 2)
        history = self.server.get("/status/history")[2]
        self.assertEqual(set(history), set(self.server.get("/status")[2]["now"]))
        self.assertEqual({len(column) for column in history.values()}, {len(history["steps"])})
        self.assertEqual(history["uptime_seconds"], sorted(history["uptime_seconds"]))

    def test_plan_is_that_of_the_ranks(self):
        plan = self.server.get("/plan")[2]
        self.assertEqual((plan["architecture"], plan["ranks"]), ("LlamaForCausalLM", 2))
        self.assertEqual(sum(plan["modules"][1]["bytes_per_rank"]), 115200 + 92160)

    def test_other_methods_are_told_which_they_take(self):
        for path in ("/status", "/status/history", "/plan"):
            status, headers, _ = self.server.post(path, {})
            self.assertEqual((status, headers["allow"]), (405, "GET, HEAD"), path)

    def test_pages_of_others_are_refused(self):
        for path in ("/", "/status", "/plan"):
            self.assertEqual(self.server.get(path, {"Host": "evil.example"})[0], 403)
            self.assertEqual(self.server.get(path, {"Origin": "http://evil.example"})[0], 403)


class Processes(unittest.TestCase):
    @unittest.skipUnless(MPIRUN, "a build without MPI")
    def test_each_rank_tells_its_own_process(self):
        server = Server(before=[MPIRUN, "-np", "2"])
        self.addCleanup(server.process.kill)
        server.post("/v1/chat/completions", CHAT)
        status = server.get("/status")[2]
        processes = [rank["pid"] for rank in status["ranks"]]
        self.assertEqual(len(set(processes)), 2)
        self.assertGreater(status["now"]["exchange_seconds"], 0)
        os.kill(processes[0], signal.SIGTERM)  # mpirun would end them all
        server.end(with_signal=None)


class Access(unittest.TestCase):
    def test_the_page_is_open_and_what_it_shows_is_not(self):
        path = f"/tmp/cleave_test_page_keys_{os.getpid()}"
        with open(path, "w") as file:
            file.write("secret\n")
        self.addCleanup(os.unlink, path)
        server = Server("--api-key-file", path)
        try:
            for open_path in ("/", "/page/app.js", "/page/style.css"):
                self.assertEqual(server.get(open_path)[0], 200, open_path)
            for closed in ("/status", "/status/history", "/plan", "/v1/status", "/page/nothing.js"):
                self.assertEqual(server.get(closed)[0], 401, closed)
            for closed in ("/status", "/status/history", "/plan"):
                self.assertEqual(server.get(closed, {"Authorization": "Bearer secret"})[0], 200, closed)
        finally:
            server.end()

    def test_the_page_can_be_left_out(self):
        server = Server("--no-page")
        try:
            self.assertEqual([server.get(path)[0] for path in ("/", "/page/app.js", "/status")], [404, 404, 200])
        finally:
            server.end()

    def test_status_is_there_while_the_model_loads(self):
        server = Server(wait=False)
        try:
            states = set()
            server.wait_until(lambda: states.add(server.get("/status")[2]["state"]) or "serving" in states)
            self.assertLessEqual(states, {"loading", "serving"})
        finally:
            server.end()


if __name__ == "__main__":
    unittest.main()
