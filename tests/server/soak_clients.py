"""The clients of soak.py, one method for each kind of them."""
import asyncio
import collections
import contextlib
import json
import random
import re
import socket
import struct

HUGE = b"x" * (1 << 20)
READ = 1 << 16
IMPOSSIBLE = [
    {"type": "integer", "minimum": 5, "maximum": 3},
    {"not": {}},
    {"allOf": [{"type": "string"}, {"type": "number"}]},
    {"enum": []},
    {"type": "string", "minLength": 10 ** 9},
    {"type": "string", "pattern": "(a*)*" * 200},
    {"type": "string", "pattern": "(a{1000}){1000}"},
    {"$ref": "#/nowhere"},
    {"$ref": "#"},
    {"type": "array", "minItems": 10 ** 12, "items": {}},
    {"type": "object", "required": ["a"], "properties": {"a": False}},
    {"type": "object", "unevaluatedProperties": 7},
    {"oneOf": [{"type": "object", "properties": {str(i): {"type": "string"}}} for i in range(200)]},
]


class Unexpected(Exception):
    """An answer that the server must not give."""


class Client:
    """One connection, from which an answer is read in pieces."""

    def __init__(self, port):
        self.port = port

    async def __aenter__(self):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port, limit=READ)
        return self

    async def __aexit__(self, *_):
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()

    def reset(self):
        """Leaves without a word: the server sees a reset."""
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def send(self, method, path, body=b"", length=None, more=""):
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{more}"
        if body or length is not None:
            head += f"Content-Length: {len(body) if length is None else length}\r\n"
        self.writer.write(head.encode() + b"\r\n" + body)
        await self.writer.drain()

    async def status(self):
        """The status of what comes, 0 where nothing does."""
        line = await self.reader.readline()
        match = re.match(rb"HTTP/1\.1 (\d+) ", line)
        return int(match.group(1)) if match else 0

    async def rest(self):
        data = b""
        while piece := await self.reader.read(READ):
            data += piece
        return data


class Clients:
    """All kinds of clients; each method is one."""

    def __init__(self, port, seed, context, overload):
        self.port, self.random, self.context, self.overload = port, random.Random(seed), context, overload
        self.statuses = collections.Counter()
        self.huge = asyncio.Semaphore(2)

    async def ask(self, body, expected, path="/v1/chat/completions", method="POST"):
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with Client(self.port) as client:
            with contextlib.suppress(ConnectionError):
                await client.send(method, path, sent)
            status = await client.status()
            data = await client.rest()
        self.statuses[status] += 1
        if status not in expected and not (status == 503 and self.overload and b"retry-after" in data.lower()):
            raise Unexpected(f"{status} for {path} {sent[:100]!r}: {data[-300:]!r}")
        return status, data

    def chat(self, **more):
        words = " ".join(self.random.choice(["sea", "sky", "a", "the", "of"]) for _ in range(self.random.randint(1, 40)))
        return {"messages": [{"role": "user", "content": words}], "max_tokens": self.random.randint(1, 60), **more}

    async def well(self):
        more = self.random.choice([{}, {"n": 3}, {"logprobs": True, "top_logprobs": 5}, {"stop": ["e", "\n"]}, {"temperature": 1.5, "seed": 3},
                                   {"response_format": {"type": "json_object"}}, {"timeout": 0.02}])
        await self.ask(self.chat(**more), (200, 408) if "timeout" in more else (200,))

    async def well_in_a_stream(self):
        api = self.random.choice(["/v1/chat/completions", "/v1/completions", "/v1/messages", "/v1/responses"])
        body = self.chat(stream=True)
        body.update(prompt="The sea", input="The sea")
        status, data = await self.ask(body, (200,), api)
        if status == 200 and not re.search(rb"\[DONE\]|message_stop|response\.(completed|incomplete)", data):
            raise Unexpected(f"a stream of {api} without its end: {data[-300:]!r}")

    async def leaves_in_a_stream(self):
        async with Client(self.port) as client:
            await client.send("POST", "/v1/completions", json.dumps({"prompt": "a", "max_tokens": 500, "ignore_eos": True, "stream": True, "n": self.random.choice([1, 4])}).encode())
            for _ in range(self.random.randint(0, 5)):
                await client.reader.read(2000)
            if self.random.random() < 0.5:
                client.reset()

    async def leaves_while_it_waits(self):
        async with Client(self.port) as client:
            await client.send("POST", "/v1/completions", json.dumps({"prompt": "a " * 100, "max_tokens": 500, "ignore_eos": True}).encode())
            await asyncio.sleep(self.random.random() * 0.3)
            if self.random.random() < 0.5:
                client.reset()

    async def sends_half(self):
        request = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n" + b"{" * 500
        async with Client(self.port) as client:
            client.writer.write(request[:self.random.randint(1, len(request))])
            await client.writer.drain()
            await asyncio.sleep(self.random.random())
            client.writer.write_eof()

    async def sends_100_megabytes(self):
        async with self.huge, Client(self.port) as client:
            with contextlib.suppress(ConnectionError):
                chunked = self.random.random() < 0.5
                await client.send("POST", "/v1/chat/completions", more="Transfer-Encoding: chunked\r\n" if chunked else "",
                                  length=None if chunked else 100 << 20)
                for _ in range(100):
                    client.writer.write(b"100000\r\n" + HUGE + b"\r\n" if chunked else HUGE)
                    await client.writer.drain()
            status = 0
            with contextlib.suppress(ConnectionError):
                status = await client.status()
            self.statuses[status] += 1
            if status not in (413, 0):
                raise Unexpected(f"{status} for 100 MB")

    async def sends_what_is_no_text(self):
        garbage = bytes(self.random.randrange(256) for _ in range(200)).replace(b'"', b"").replace(b"\\", b"")
        await self.ask(b'{"messages": [{"role": "user", "content": "' + b"\xff\xfe" + garbage + b'"}]}', (400,))
        await self.ask(self.random.choice([b"[" * 100000, b"{", b"\x00" * 1000, b'{"messages": NaN}', b'"' + HUGE]), (400,))

    async def sends_a_million_stops(self):
        async with self.huge:
            await self.ask(self.chat(stop=["s%d" % i for i in range(1000000)]), (400,))
            await self.ask(self.chat(logit_bias={str(i): 1 for i in range(100000)}), (400,))

    async def wants_the_impossible(self):
        schema = self.random.choice(IMPOSSIBLE)
        await self.ask(self.chat(response_format={"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}), (200, 400))
        await self.ask(self.chat(structured_outputs={"regex": "(((a+)+)+)+$" * 50}), (200, 400))
        await self.ask(self.chat(grammar="root ::= root root | [a-z] " * 100), (200, 400))

    async def calls_tools(self):
        schema = self.random.choice([*IMPOSSIBLE, {"type": "object", "properties": {"a": {"type": "string", "maxLength": 9}}}])
        tool = {"type": "function", "function": {"name": "f", "parameters": schema, "strict": self.random.random() < 0.5}}
        choice = self.random.choice(["auto", "none", "required", {"type": "function", "function": {"name": "f"}}])
        await self.ask(self.chat(tools=[tool] * self.random.choice([1, 1, 64]), tool_choice=choice, stream=self.random.random() < 0.5,
                                 parallel_tool_calls=False, thinking_token_budget=self.random.choice([0, 5])), (200, 400))
        await self.ask(self.chat(tools=[tool], tool_choice={"type": "function", "function": {"name": "g"}}), (400,))

    async def looks_around(self):
        for path in ("/", "/v1/models", "/metrics", "/ready", "/nowhere/../etc/passwd"):
            await self.ask(b"", (200, 404), path, "GET")

    async def asks_wrongly(self):
        for path, body, expected in (("/v1/chat/completions", self.chat(temperature=-1), (400,)), ("/v1/embeddings", {"input": "a"}, (400,)),
                                     ("/v1/nothing", {}, (404,)), ("/v1/completions", {"prompt": [1 << 40]}, (400,)),
                                     ("/v1/completions", {"prompt": "word " * 2 * self.context}, (400,)),
                                     ("/v1/chat/completions", self.chat(n=10 ** 9), (400,)), ("/v1/chat/completions", self.chat(model="x"), (404,)),
                                     ("/tokenize", {"prompt": "a" * 100000}, (200,)), ("/v1/messages", self.chat(tools=[{"name": 3}]), (400,))):
            await self.ask(body, expected, path)
        await self.ask(b"", (405,), "/v1/chat/completions", "GET")

    async def reads_slowly(self):
        with socket.socket() as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(slow, ("127.0.0.1", self.port))
            body = json.dumps({"prompt": "a", "max_tokens": 150, "ignore_eos": True, "logprobs": 20, "stream": True}).encode()
            await loop.sock_sendall(slow, b"POST /v1/completions HTTP/1.0\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            for _ in range(self.random.randint(0, 20)):
                await asyncio.sleep(0.1)
                with contextlib.suppress(ConnectionError):
                    await loop.sock_recv(slow, 1000)

    async def comes_in_a_burst(self):
        await asyncio.gather(*(self.ask(self.chat(stream=self.random.random() < 0.5), (200,)) for _ in range(60)))

    async def stays_idle(self, stop):
        """Has a stream open that nobody hurries to answer, and opens another when it ends."""
        body = json.dumps({"prompt": "a", "max_tokens": 16, "ignore_eos": True, "stream": True, "priority": 1000}).encode()
        while not stop.is_set():
            async with Client(self.port) as client:
                await client.send("POST", "/v1/completions", body)
                reading = asyncio.ensure_future(client.rest())
                stopping = asyncio.ensure_future(stop.wait())
                await asyncio.wait((reading, stopping), return_when=asyncio.FIRST_COMPLETED)
                stopping.cancel()
                if not reading.done():
                    reading.cancel()
                    return
                if b" 200 " not in (await reading)[:20]:
                    raise Unexpected("an idle stream was refused")

    KINDS = [well, well, well, well_in_a_stream, well_in_a_stream, leaves_in_a_stream, leaves_while_it_waits, sends_half, sends_100_megabytes,
             sends_what_is_no_text, sends_a_million_stops, wants_the_impossible, calls_tools,
             looks_around, asks_wrongly, reads_slowly, comes_in_a_burst]
