"""The page in a headless Chromium: conversations, the operator's view, and what goes wrong. Skipped where there is none."""
import os
import sys
import unittest

import browser as chromium
from browser import ENTER, ESCAPE, SHIFT
from serving import ANSWER, QUESTION, Case, Server

ASKED = QUESTION[0]["content"]
DONE = "return !document.querySelector('.message.streaming') && document.querySelector('.message.assistant .actions') !== null"
LAST = "return [...document.querySelectorAll('.message.assistant .body')].at(-1)?.innerText ?? ''"
ENDLESS = '{"ignore_eos": true, "max_tokens": 4000}'

# Has the page's next answers come from `pieces` (deltas of a chat completion) instead of the server; `end`: how the stream ends.
FAKE = """
const [pieces, end, pause] = arguments;
window.sent = [];
window.realFetch ??= window.fetch;
window.fetch = async (path, options) => {
  if (!String(path).endsWith('chat/completions')) return window.realFetch(path, options);
  window.sent.push(JSON.parse(options.body));
  const encoder = new TextEncoder();
  const body = new ReadableStream({async start(stream) {
    options.signal.addEventListener('abort', () => stream.error(new DOMException('aborted', 'AbortError')));
    try {
      for (const delta of pieces) {
        stream.enqueue(encoder.encode('data: ' + JSON.stringify({choices: [{index: 0, delta, finish_reason: null}]}) + '\\r\\n\\r\\n: ping\\n\\n'));
        if (pause) await new Promise((resolve) => setTimeout(resolve, pause));
      }
      stream.enqueue(encoder.encode(end));
      stream.close();
    } catch { /* aborted */ }
  }});
  return new Response(body, {status: 200, headers: {'content-type': 'text/event-stream'}});
};
"""
END = 'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'


class PageCase(Case):
    """A server and a browser for all tests of a class; each begins with an empty browser."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.browser = chromium.Browser()

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()
        super().tearDownClass()

    def setUp(self):
        super().setUp()
        self.browser.size(1400, 900)
        self.browser.dark(False)
        self.open_page(self.server)

    def open_page(self, server, hash_="#/"):
        self.browser.open(server.address + "/health")
        self.browser.run("localStorage.clear(); sessionStorage.clear()")
        self.browser.open(server.address + "/" + hash_)
        self.browser.console()

    def say(self, text, *keys):
        self.browser.type("#input", text + "".join(keys or (ENTER,)))

    def last(self):
        return self.browser.run(LAST)

    def fake(self, *pieces, end=END, pause=0):
        self.browser.run(FAKE, [{"content": piece} if isinstance(piece, str) else piece for piece in pieces], end, pause)

    def assert_no_problems(self):
        self.assertEqual(self.browser.console(), [])


class Conversation(PageCase):
    def test_a_question_is_answered_and_survives_a_reload(self):
        self.say(ASKED)
        self.browser.wait(DONE)
        self.assertEqual(self.last(), ANSWER)
        self.assertRegex(self.browser.text(".message.assistant footer .stats"), r"^8 tokens · [\d.]+ tokens/s · first token \d+\.\d\d s · prompt 37")
        self.assertEqual(self.browser.all("#conversations a"), [ASKED])
        self.say("and of Italy", SHIFT + ENTER)  # a line that is not sent
        self.browser.reload()
        self.assertEqual(self.browser.wait(LAST), ANSWER)
        self.assertEqual(self.browser.run("return document.querySelector('#input').value"), "and of Italy\n")
        self.say("?")
        self.browser.wait("return document.querySelectorAll('.message').length === 4")
        self.browser.wait(DONE)
        self.browser.click("#new")
        self.assertEqual(self.browser.all(".message"), [])
        self.browser.click("#conversations a")
        self.assertEqual(len(self.browser.all(".message")), 4)
        self.assert_no_problems()

    def test_an_answer_can_be_stopped_and_continued(self):
        self.browser.fill("#field-further", ENDLESS)
        self.say("Tell me a long story.")
        self.browser.wait("return document.querySelector('.message.streaming .body').innerText.length > 60")
        self.browser.type("#input", ESCAPE)
        self.browser.wait(DONE)
        kept = self.last()
        self.assertIn("stopped", self.browser.text(".message.assistant footer .stats"))
        self.server.wait_until(self.server.is_idle)
        self.browser.reload()
        self.assertEqual(self.browser.wait(LAST), kept)
        self.browser.fill("#field-further", '{"ignore_eos": true, "max_tokens": 20}')
        self.browser.press("Continue")
        self.browser.wait(DONE)
        self.assertGreater(len(self.last()), len(kept))
        self.assertTrue(self.last().startswith(kept[:60]))
        self.assertIn("cut: no tokens left", self.browser.text(".message.assistant footer .stats"))
        self.assert_no_problems()

    def test_a_reload_keeps_what_had_come(self):
        self.browser.fill("#field-further", ENDLESS)
        self.say("Tell me a long story.")
        self.browser.wait("return document.querySelector('.message.streaming .body').innerText.length > 60")
        self.browser.reload()
        self.assertGreater(len(self.browser.wait(LAST)), 60)
        self.assertIn("interrupted", self.browser.text(".message.assistant footer .stats"))
        self.server.wait_until(self.server.is_idle)
        self.assertIn("Continue", self.browser.all(".message.assistant button"))

    def test_answers_and_questions_have_versions(self):
        self.say(ASKED)
        self.browser.wait(DONE)
        self.browser.press("Regenerate")
        self.browser.wait("return document.querySelector('.message.assistant .versions').innerText.includes('2/2')")
        self.browser.wait(DONE)
        self.browser.press("Edit", ".message.user")
        self.browser.fill(".editor textarea", "What is the capital of Italy?")
        self.browser.type(".editor textarea", ENTER)
        self.browser.wait("return document.querySelector('.message.user .versions').innerText.includes('2/2')")
        self.browser.wait(DONE)
        self.assertIn("Italy", self.last())
        self.browser.press("Earlier version", ".message.user")
        self.assertEqual(self.last(), ANSWER)
        self.assertIn("2/2", self.browser.text(".message.assistant .versions"))
        self.browser.press("Delete", ".message.user")
        self.browser.press("Really delete?", ".message.user")
        self.browser.wait("return document.querySelector('.message.user .plain').innerText.includes('Italy')")
        self.assertEqual(self.browser.text(".message.user .versions"), "")
        self.assert_no_problems()

    def test_requests_say_what_the_form_says(self):
        self.fake("ok")
        for name, value in (("system", "Be brief."), ("temperature", "0.5"), ("top_k", "0"), ("seed", "7"), ("stop", "a\nb"),
                            ("reasoning", "off"), ("further", '{"logit_bias": {"5": 1}}')):
            self.browser.fill("#field-" + name, value)
        self.say("Hi")
        self.browser.wait(DONE)
        sent = self.browser.run("return window.sent[0]")
        self.assertEqual(sent["messages"], [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}])
        self.assertEqual((sent["temperature"], sent["top_k"], sent["seed"], sent["stop"]), (0.5, 0, 7, ["a", "b"]))
        self.assertEqual((sent["chat_template_kwargs"], sent["logit_bias"]), ({"enable_thinking": False}, {"5": 1}))
        self.assertNotIn("top_p", sent)
        self.browser.fill("#field-further", "{")
        self.say("again")
        self.assertIn("no JSON object", self.browser.text("#notice"))
        self.assertEqual(len(self.browser.run("return window.sent")), 1)

        self.assertEqual(self.browser.run("return document.querySelector('#field-temperature').max"), "2")
        self.browser.fill("#field-temperature", "2.5")
        self.assertFalse(self.browser.run("return document.querySelector('#field-temperature').checkValidity()"))

    def test_an_edited_question_waits_for_a_form_that_can_be_sent(self):
        self.fake("ok")
        self.say("Hi")
        self.browser.wait(DONE)
        self.browser.fill("#field-further", "{")
        self.browser.press("Edit", ".message.user")
        self.browser.fill(".editor textarea", "Hello")
        self.browser.type(".editor textarea", ENTER)
        self.assertIn("no JSON object", self.browser.text("#notice"))
        self.assertEqual(self.browser.text("#send"), "Send")
        self.browser.fill("#field-further", "")
        self.browser.type(".editor textarea", ENTER)
        self.browser.wait("return document.querySelector('.message.user .versions').innerText.includes('2/2')")
        self.browser.wait(DONE)
        self.assertEqual(len(self.browser.run("return window.sent")), 2)

    def test_an_answer_that_fails_at_once_ends_when_it_is_known(self):
        order = self.browser.run("""
          return Promise.all([import('/page/answering.js'), import('/page/conversation.js')]).then(async ([{Answering}, c]) => {
            const conversation = c.newConversation({further: '{'}), order = [];
            const node = c.append(conversation, null, {role: 'assistant'});
            const answering = new Answering(conversation, node, () => {}, () => order.push('ended'));
            order.push('known');
            await answering.done;
            return [...order, node.state];
          })""")
        self.assertEqual(order, ["known", "ended", "failed"])

    def test_each_answer_that_grows_is_drawn(self):
        drawn = self.browser.run("""
          return import('/page/chat.js').then(async ({ChatView}) => {
            const a = {id: 'a', parent: null}, b = {id: 'b', parent: null}, drawn = [];  // a: of a conversation that is not shown
            const chat = Object.assign(Object.create(ChatView.prototype), {dirty: new Set(), answerings: new Map(), conversation: {nodes: {b}},
              views: new Map([['b', {node: b, update: () => drawn.push('b')}]])});
            for (const node of [a, b, b]) chat.redraw(node);
            await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
            return drawn;
          })""")
        self.assertEqual(drawn, ["b"])

    def test_reasoning_is_folded_and_calls_are_shown(self):
        call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":'}}
        self.fake({"reasoning_content": "I need *the* weather"}, {"tool_calls": [call]},
                  {"tool_calls": [{"index": 0, "function": {"arguments": '"Rome"}'}}]})
        self.say("Weather in Rome?")
        self.browser.wait(DONE)
        self.assertIs(self.browser.run("return document.querySelector('.reasoning').open"), False)
        self.assertIn("Reasoned", self.browser.text(".reasoning summary"))
        self.assertEqual(self.browser.run("return document.querySelector('.reasoning em').textContent"), "the")
        self.assertIn("Calls weather", self.browser.text(".call"))
        self.assertIn('"city": "Rome"', self.browser.text(".call pre"))
        self.fake("It is sunny.")
        self.browser.fill(".results textarea", "sunny")
        self.browser.press("Give result")
        self.browser.wait("return document.querySelectorAll('.message').length === 4")
        self.browser.wait(DONE)
        sent = self.browser.run("return window.sent[0].messages")
        self.assertEqual(sent[1]["tool_calls"][0]["function"], {"name": "weather", "arguments": '{"city":"Rome"}'})
        self.assertEqual(sent[2], {"role": "tool", "content": "sunny", "tool_call_id": "call_1"})
        self.assertEqual(self.browser.all(".results"), [])


class Tabs(PageCase):
    def both(self, script, *arguments):
        """What a function's body gives that has the modules `store` and `c` (conversation)."""
        return self.browser.run("const given = arguments; return Promise.all([import('/page/store.js'), import('/page/conversation.js')])"
                                ".then(([store, c]) => { " + script + " })", *arguments)

    def test_two_tabs_work_on_one_conversation(self):
        self.fake("one answer")
        self.say("first")
        self.browser.wait(DONE)
        one, hash_ = self.browser.tab(), self.browser.run("return location.hash")
        two = self.browser.new_tab()
        self.addCleanup(lambda: self.browser.close_tab(one) if self.browser.tab() == two else None)
        self.browser.size(1400, 900)
        self.browser.open(self.server.address + "/" + hash_)
        self.browser.wait("return document.querySelectorAll('.message').length === 2")
        self.browser.switch(one)
        self.fake(*["piece "] * 8, pause=500)
        self.say("second")
        self.browser.wait("return document.querySelector('.message.streaming .body').innerText.includes('piece')")
        self.browser.switch(two)
        self.browser.wait("return document.querySelectorAll('.message').length === 4 && document.querySelector('.message.streaming')")
        self.browser.fill("#field-temperature", "0.5")
        self.say("third")
        self.assertIn("Another tab", self.browser.text("#notice"))
        self.browser.wait("return !document.querySelector('.message.streaming')")
        self.assertEqual(self.last(), " ".join(["piece"] * 8))
        self.assertNotIn("interrupted", self.browser.text(".message:last-child .stats"))
        self.fake("third answer")
        self.browser.type("#input", ENTER)
        self.browser.wait(LAST + ".includes('third answer')")
        self.browser.wait("return !document.querySelector('.message.streaming')")
        self.browser.switch(one)
        self.browser.wait("return document.querySelectorAll('.message').length === 6 && !document.querySelector('.message.streaming')")
        self.assertEqual(self.last(), "third answer")
        self.assertEqual(self.browser.run("return document.querySelector('#field-temperature').value"), "0.5")
        self.browser.switch(two)
        self.browser.press("Delete first", "#side")
        self.browser.press("Delete first", "#side")
        self.browser.wait("return document.querySelectorAll('.message').length === 0")
        self.browser.switch(one)
        self.browser.wait("return document.querySelectorAll('.message').length === 0 && location.hash === '#/'")
        self.assertEqual(self.browser.all("#conversations a"), [])
        self.assert_no_problems()
        self.browser.switch(two)

    def test_what_two_tabs_store_is_put_together(self):
        got = self.both("""
          const a = c.newConversation(), said = (of) => Object.values(store.load(of.id).nodes).map((node) => node.content).sort();
          const root = c.append(a, null, {content: 'q'});
          store.save(a);
          const b = store.load(a.id), steps = [];
          const ofA = c.append(a, root, {role: 'assistant', content: 'a'}), ofB = c.append(b, b.nodes[root.id], {role: 'assistant', content: 'b'});
          store.save(a);
          store.save(b);
          steps.push(said(a));
          steps.push([a.nodes[a.leaf].content, b.nodes[b.leaf].content]);
          ofA.content = 'aa';
          c.touch(ofA);
          store.save(a);
          store.save(b);
          steps.push(said(a));
          c.remove(b, b.nodes[ofA.id]);
          store.save(b);
          store.save(a);
          steps.push([...said(a), a.nodes[a.leaf].content]);
          c.remove(a, a.nodes[ofB.id]);
          c.append(b, b.nodes[ofB.id], {content: 'behind b'});
          store.save(a);
          store.save(b);
          store.save(a);
          steps.push([...said(a), a.nodes[a.leaf].content]);
          return steps;""")
        self.assertEqual(got, [["a", "b", "q"], ["a", "b"], ["aa", "b", "q"], ["b", "q", "b"], ["b", "behind b", "q", "behind b"]])

    def test_a_conversation_that_another_tab_left_out_of_the_list_is_listed(self):
        got = self.both("""
          const one = c.newConversation(), two = c.newConversation();
          for (const conversation of [one, two]) {
            c.append(conversation, null, {content: 'x'});
            store.save(conversation);
          }
          localStorage['cleave.conversations'] = JSON.stringify([{id: two.id, title: 'x', updated: 1}, {id: 'gone', title: 'y', updated: 2}]);
          return store.list().map(({id}) => [one.id, two.id].indexOf(id)).sort();""")
        self.assertEqual(got, [0, 1])

    def test_an_answer_of_a_tab_that_is_gone_is_interrupted(self):
        states = self.both("""
          const conversation = c.newConversation(), now = Date.now();
          const add = (changed) => c.append(conversation, null, {role: 'assistant', state: 'streaming', changed});
          const nodes = [add(now), add(now - c.STALE_MS), add(undefined), add(0)];
          const left = [c.interruptStale(conversation, nodes[3])];
          c.remove(conversation, nodes[0]);
          return [...left, c.interruptStale(conversation, nodes[3]), ...nodes.map((node) => node.state)];""")
        self.assertEqual(states, [True, False, "streaming", "interrupted", "interrupted", "streaming"])
        self.browser.run("""
          const node = {id: 'n', parent: null, role: 'assistant', content: 'so far', state: 'streaming', changed: Date.now()};
          localStorage['cleave.conversation.left'] = JSON.stringify({id: 'left', title: 'Left', created: 1, updated: 1, system: '',
            settings: {}, nodes: {n: node}, leaf: 'n'});""")
        self.browser.run("location.hash = '#/c/left'")
        self.browser.wait("return document.querySelector('.message.streaming')")
        self.browser.wait("return document.querySelector('.message .stats')?.innerText.includes('interrupted')")


class Storage(PageCase):
    # What a browser does that keeps nothing: private windows, cookies that are blocked.
    REFUSED = "for (const name of ['localStorage', 'sessionStorage']) " \
              "Object.defineProperty(window, name, {get() { throw new DOMException('denied', 'SecurityError'); }})"

    def test_a_browser_without_storage_has_a_page_all_the_same(self):
        refused = self.browser.devtools("Page.addScriptToEvaluateOnNewDocument", source=self.REFUSED)["identifier"]
        self.addCleanup(self.browser.devtools, "Page.removeScriptToEvaluateOnNewDocument", identifier=refused)
        self.browser.reload()
        self.say(ASKED)
        self.browser.wait(DONE)
        self.assertEqual(self.last(), ANSWER)
        self.assertIn("stores nothing", self.browser.text("#notice"))
        self.browser.fill("#field-temperature", "0")
        self.browser.click("#new")
        self.browser.wait("return document.querySelector('.message') === null")
        self.browser.click("#conversations a")
        self.assertEqual(self.browser.wait(LAST), ANSWER)
        self.browser.press("Delete " + ASKED, "#side")
        self.browser.press("Delete " + ASKED, "#side")
        self.browser.wait("return document.querySelectorAll('#conversations a').length === 0")
        self.assertEqual(self.browser.run("return import('/page/server.js').then((m) => { m.setKey('k'); return m.getKey(); })"), "k")
        self.assert_no_problems()

    def test_a_full_storage_is_told_and_the_conversation_goes_on(self):
        self.browser.run("try { for (;;) localStorage['x' + Math.random()] = 'x'.repeat(100_000); } catch {}"
                         "try { for (;;) localStorage['y' + Math.random()] = 'y'; } catch {}")
        for text in ("one", "two"):
            self.fake("answer " + text)
            self.say(text)
            self.browser.wait(LAST + f" === 'answer {text}'" if text == "one" else "return document.querySelectorAll('.message').length === 4")
            self.browser.wait(DONE)
            self.assertIn("storage is full", self.browser.text("#notice"))
        self.assertEqual(self.last(), "answer two")


class Markdown(PageCase):
    def shown(self, *pieces):
        self.fake(*pieces)
        self.say("x")
        self.browser.wait("return document.querySelector('.message.assistant') !== null")
        self.browser.wait(DONE, seconds=10)
        return self.browser.run("return [...document.querySelectorAll('.message.assistant .body > .markdown')].at(-1).innerHTML")

    def test_what_models_write_becomes_elements(self):
        html = self.shown("# Title #\n\nA **bold *and* thin** `co``de` ~~gone~~ 2 * 3 * 4 snake_case_name\\*\nnext\n\n",
                          "1. one\n   - inner\n\n     more\n2. two\n- [x] task\n\n> quoted\n> - item\n\n",
                          "| a | b |\n|:--|--:|\n| 1 | `x\\|y` |\n\n---\n", "```py\nif a < b:\n\n  pass\n```\n[site](https://example.org/a_(b)) ",
                          "<https://example.org> https://example.org/x.")
        for part in ("<h3>Title</h3>", "A <strong>bold <em>and</em> thin</strong> ", "<s>gone</s> 2 * 3 * 4 snake_case_name*<br>next</p>",
                     "<ol><li>one<ul><li>inner<p>more</p></li></ul></li><li>two</li></ol>", 'checked="">', "<blockquote><p>quoted</p><ul>",
                     '<td class="end"><code>x|y</code></td>', "<hr>", "<span>py</span>", "if a &lt; b:\n\n  pass</code>",
                     'href="https://example.org/a_(b)"', ">https://example.org/x</a>."):
            self.assertIn(part, html)
        self.assert_no_problems()

    def test_nothing_hostile_becomes_more_than_text(self):
        html = self.shown("<script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>\n\n",
                          "[a](javascript:window.hacked=1) ![b](data:text/html,x) <javascript:alert(1)> [c](//evil.example) ",
                          "[![d](https://evil.example/x.png)](https://evil.example)\n\n```html\n<script>window.hacked = 1</script>\n<b>unclosed")
        self.assertNotIn("<script", html)
        self.assertNotIn("<img", html)
        self.assertIn("&lt;script&gt;", html)
        self.assertEqual(self.browser.run("return [...document.querySelectorAll('.body a')].map((a) => a.href)"), ["https://evil.example/"])
        self.assertIsNone(self.browser.run("return window.hacked ?? null"))
        self.assertIn("<b>unclosed", self.browser.text(".message.assistant pre"))
        self.assert_no_problems()

    def test_huge_and_tangled_texts_are_drawn_in_time(self):
        for hostile in ("x" * 500_000, "*a " * 60_000, "[" * 100_000, "`" * 3 + "`a" * 50_000, "> " * 30_000 + "x", "- " * 30_000 + "x",
                        "**_" * 60_000, "](a" * 60_000, "|" * 100_000 + "\n" + "|-" * 50_000, "https://x.y/" + ")" * 100_000, "<h" * 100_000,
                        "\n" * 200_000 + "x", "a\n" * 50_000, "# " + "#" * 200_000 + "x", "- a\n" * 10_000,
                        "[](" + " " * 200_000 + "x", "[](a" + " " * 200_000 + "x", "[](a " * 50_000, "` " + "a" * 300_000 + "`",
                        "`" * 200_000 + " `" + "a" * 200_000, "`" * 200_000 + "\u2028" + "a" * 100_000, "*" * 200_000 + "a" + "*" * 200_000,
                        "|a" * 2000 + "\n" + "|-" * 2000 + "\n" + "|\n" * 20_000,
                        "|a" * 200 + "\n" + "|-" * 200 + "\n" + "|\n" * 20_000):
            with self.subTest(hostile=hostile[:10]):
                self.shown(hostile)
                self.assertLessEqual(self.browser.run("return document.scrollingElement.scrollWidth"), 1400)
                self.browser.click("#new")
        self.assertEqual([line for line in self.browser.console() if "storage" not in line], [])

    def test_elements_nest_only_so_deep(self):
        for tangled in ("*" * 3000 + "a" + "*" * 3000, "***" * 1000 + "a" + "***" * 1000, "*a " * 500 + "b" + " a*" * 500,
                        "[" * 500 + "a" + "](https://x.y)" * 500, "> " * 500 + "- " * 500 + "*a*", "**_~~" * 500 + "a" + "~~_**" * 500):
            with self.subTest(tangled=tangled[:10]):
                self.shown(tangled)
                depth = self.browser.run("const depth = (e) => { let most = 0; const rest = [[e, 0]]; while (rest.length) { const [at, d] = rest.pop();"
                                         "most = Math.max(most, d); for (const c of at.children) rest.push([c, d + 1]); } return most; };"
                                         "return depth([...document.querySelectorAll('.message.assistant .body > .markdown')].at(-1))")
                self.assertLess(depth, 256)
                self.browser.click("#new")

    def test_short_forms_stay_what_they_are(self):
        html = self.shown("``` a` b\n\n` x ` ``  `` [a]( https://x.y 't' ) [b](<https://x.y/z>  \"t\") *****a*****\n\n",
                          "| a | b | c |\n|---|---|---|\n| 1 |\n| 1 | 2 | 3 | 4 |\n\n~~~ a`b\ncode\n~~~")
        for part in ("<p>``` a` b</p>", "<code>x</code>", "<code>  </code>", 'href="https://x.y/"', 'href="https://x.y/z"',
                     '<td class="start">1</td><td class="start"></td><td class="start"></td></tr>', '<td class="start">3</td></tr>', "<span>a`b</span>",
                     "<strong>a</strong>"):
            self.assertIn(part, html)

    def test_an_element_takes_any_number_of_children(self):
        self.assertEqual(self.browser.run("return import('/page/dom.js').then(({el}) => el('p', {}, Array(300_000).fill('a')).childNodes.length)"),
                         300_000)

    def test_an_open_fence_stays_code_while_it_grows(self):
        self.fake("Code:\n```c\nint a;", "\nint b;\n", "\n# no title\n", pause=150)
        self.say("x")
        self.browser.wait("return document.querySelector('pre')?.innerText.includes('int b') && !!document.querySelector('.streaming')")
        self.browser.run("document.querySelector('.message.assistant p').marked = true")
        self.browser.wait(DONE)
        self.assertEqual(self.browser.text(".message.assistant pre"), "int a;\nint b;\n\n# no title\n")
        self.assertTrue(self.browser.run("return document.querySelector('.message.assistant p').marked"), "drawn again")

    def test_a_very_long_conversation_opens_at_its_end(self):
        self.browser.run("""
          const nodes = {}, text = 'Some **bold** text.\\n\\n- a\\n- b\\n\\n```\\ncode\\n```\\n';
          for (let i = 0; i < 2000; ++i)
            nodes['n' + i] = {id: 'n' + i, parent: i ? 'n' + (i - 1) : null, role: i % 2 ? 'assistant' : 'user', content: i + text, state: 'done'};
          localStorage['cleave.conversation.long'] = JSON.stringify({id: 'long', title: 'Long', created: 1, updated: 1, system: '',
            settings: {}, nodes, leaf: 'n1999'});
          localStorage['cleave.conversations'] = '[{"id": "long", "title": "Long", "updated": 1}]';""")
        self.browser.open(self.server.address + "/#/c/long")
        self.browser.reload()
        self.browser.wait("return document.querySelectorAll('.message').length === 2000", seconds=10)
        self.browser.wait("const s = document.querySelector('#scroller'); return s.scrollHeight - s.scrollTop - s.clientHeight < 50")
        self.fake("one ", "more", pause=50)
        self.say("next")
        self.browser.wait("return document.querySelectorAll('.message').length === 2002")
        self.browser.wait("return !document.querySelector('.message.streaming')")
        self.assertEqual(self.last(), "one more")


class Failures(PageCase):
    def test_what_the_server_refuses_is_shown_as_it_says_it(self):
        self.browser.fill("#field-top_p", "2")
        self.say("Hi")
        self.browser.wait(DONE)
        self.assertEqual(self.browser.text(".error p"), "top_p: wanted a number from 0 to 1, saw 2")
        self.assertIn("400 invalid_request_error", self.browser.text(".error .details"))
        self.browser.fill("#field-top_p", "")
        self.browser.press("Try again")
        self.browser.wait("return document.querySelector('.message.assistant .versions').innerText.includes('2/2')")
        self.browser.wait(DONE)
        self.assertGreater(len(self.last()), 0)

    def test_a_stream_that_breaks_off_keeps_what_came(self):
        for end, said in (("", "broke off"), ('data: {"error": {"message": "rank 1 is lost", "type": "server_error"}}\n\n', "rank 1 is lost")):
            with self.subTest(said=said):
                self.browser.click("#new")
                self.fake("so far ", "so good", end=end)
                self.say("x")
                self.browser.wait(DONE)
                self.assertIn(said, self.browser.text(".error"))
                self.assertEqual(self.browser.text(".message.assistant .body > .markdown"), "so far so good")

    def test_a_slow_stream_shows_that_it_waits(self):
        self.fake("", "late", pause=1600)
        self.say("x")
        self.browser.wait("return document.querySelector('.wait').innerText.includes('1 s')")
        self.browser.wait(DONE)
        self.assertEqual(self.last(), "late")


class Access(unittest.TestCase):
    def test_a_key_is_asked_for_and_kept_for_the_tab(self):
        path = f"/tmp/cleave_test_chromium_keys_{os.getpid()}"
        with open(path, "w") as file:
            file.write("secret\n")
        self.addCleanup(os.unlink, path)
        server = Server("--api-key-file", path)
        browser = chromium.Browser()
        try:
            browser.open(server.address + "/")
            for key in ("wrong", "secret"):
                browser.wait("return document.querySelector('dialog').open")
                self.assertIn("API key", browser.text("#key-message"))
                browser.type("#key", key + ENTER)
                browser.wait("return !document.querySelector('dialog').open || document.querySelector('#key').value === ''")
            browser.wait("return document.title.startsWith('SmolLM2')")
            browser.reload()
            browser.wait("return document.title.startsWith('SmolLM2')")
            browser.type("#input", ASKED + ENTER)
            browser.wait(DONE)
            self.assertEqual(browser.run(LAST), ANSWER)
            self.assertEqual(browser.run("return JSON.stringify(localStorage).includes('secret')"), False)
            browser.open(server.address + "/#/server")
            browser.wait("return document.querySelector('#headline').innerText.includes('serving')")
            self.assertEqual([line for line in browser.console() if "401" not in line], [])
        finally:
            browser.close()
            server.end()

    def test_a_server_that_has_gone_is_told(self):
        server = Server()
        browser = chromium.Browser()
        try:
            browser.open(server.address + "/#/server")
            browser.wait("return document.querySelector('#headline').innerText.includes('serving')")
            server.end()
            browser.wait("return document.querySelector('#headline').innerText.includes('does not answer')")
            browser.run("location.hash = '#/'")
            browser.type("#input", "Hi" + ENTER)
            browser.wait(DONE)
            self.assertIn("The server does not answer", browser.text(".error"))
            self.assertEqual(browser.text(".message.user .plain"), "Hi")
        finally:
            browser.close()
            server.process.kill()


class Operator(PageCase):
    FLAGS = ("--tp", 2)

    def test_the_view_shows_what_happens(self):
        self.open_page(self.server, "#/server")
        self.browser.wait("return document.querySelector('#headline').innerText.includes('serving')")
        stream = self.server.stream("/v1/completions", {"prompt": "Once", "max_tokens": 3000, "ignore_eos": True, "stream": True})
        next(stream)
        self.browser.wait("return [...document.querySelectorAll('.readings')].some((e) => /computed 1$|computed 1 /m.test(e.innerText))")
        self.browser.wait("return [...document.querySelectorAll('caption')].some((e) => e.innerText === 'Requests under way')")
        self.browser.wait("return document.querySelector('path.line.a').getAttribute('d').length > 20")
        tables = {text.split("\n")[0]: text for text in self.browser.all("#server table")}
        self.assertIn(str(self.server.process.pid), tables["Ranks"])
        self.assertIn("/v1/completions", tables["Requests under way"])
        self.assertRegex(tables["Where steps spend their time"], r"exchange between ranks\s+\d+(\.\d)?%")
        self.assertRegex(tables["Modules"], r"model\.layers\.\*\.self_attn\.q_proj\s+30\s+column\s+heads\s+92\.2 KB – 115\.2 KB")
        self.assertIn("all-reduce", tables["Exchanges"])
        stream.close()
        self.assert_no_problems()

    def test_the_first_line_changes_in_place(self):
        self.open_page(self.server, "#/server")
        self.browser.wait("return document.querySelector('#headline').innerText.includes('serving')")
        self.browser.run("document.querySelector('#headline').childNodes.forEach((e) => { e.marked = true; }); window.line = headline.innerText")
        self.browser.wait("return document.querySelector('#headline').innerText !== window.line")
        self.assertTrue(self.browser.run("return [...document.querySelector('#headline').childNodes].every((e) => e.marked)"))
        self.browser.run("location.hash = '#/'")
        kept = self.browser.run("""
          return Promise.all([import('/page/status_view.js'), import('/page/server.js')]).then(([{StatusView}, {ServerError}]) => {
            const view = new StatusView(), error = new ServerError('a key, please', {status: 401});
            view.lastAnswer = Date.now() - 60_000;
            view.drawAway(error);
            const [alert, button] = ['[role=alert]', 'button'].map((what) => view.headline.querySelector(what)), before = view.headline.innerText;
            view.lastAnswer -= 60_000;
            view.drawAway(error);
            return [alert.isConnected, button.isConnected, alert.textContent, view.headline.textContent !== before];
          })""")
        self.assertEqual(kept, [True, True, "a key, please", True])

    def test_numbers_are_computed_from_samples(self):
        got = self.browser.run("""return import('/page/samples.js').then(({Samples, quantile}) => {
          const samples = new Samples(), of = (t, v) => ({uptime_seconds: t, steps: v, step_seconds: v / 50, host_seconds: v / 500,
            prompt_tokens: 4 * v, cached_tokens: v, running: v});
          for (const [t, v] of [[10, 0], [12, 100], [13, 100], [14, 300]]) samples.add(of(t, v));
          const result = [samples.rate('steps'), samples.perStep({step_seconds: 1, host_seconds: -1}), samples.hits(), samples.recent('steps')];
          samples.add(of(1, 5));  // another server
          const counts = {bounds: [1, 2, 4], counts: [2, 0, 2, 0]};
          return [...result, samples.times, samples.gauge('running'), quantile(counts, 0.25), quantile(counts, 0.75),
            quantile({...counts, counts: [0, 0, 0, 1]}, 0.5) === Infinity, quantile({...counts, counts: [0, 0, 0, 0]}, 0.5)];
        })""")
        self.assertEqual(got[0], [None, 50, 0, 200])
        self.assertEqual([value and round(value, 6) for value in got[1]], [None, 18, None, 18])
        self.assertEqual(got[2], [None, 0.25, 0.25, 0.25])
        self.assertEqual(got[3:], [{"growth": 300, "seconds": 4}, [1], [5], 0.5, 3, True, None])

    def test_both_views_fit_phones_and_desks_in_both_colours(self):
        self.say(ASKED)
        self.browser.wait(DONE)
        for hash_ in ("#/", "#/server"):
            for width, height in ((360, 720), (1400, 900)):
                for dark in (False, True):
                    with self.subTest(view=hash_, width=width, dark=dark):
                        self.browser.size(width, height)
                        self.browser.dark(dark)
                        self.browser.run("location.hash = arguments[0]", hash_)
                        self.browser.wait("return document.body.classList.contains('server') === (arguments[0] === '#/server')", hash_)
                        wide = self.browser.run("return [...document.querySelectorAll('body *')].filter((e) => !e.closest('.wide, pre, #side, "
                                                "#sampling, .off-screen') && e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.outerHTML.slice(0, 80))")
                        self.assertEqual(wide, [])
                        ground = self.browser.run("return getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0]")
                        self.assertEqual(int(ground) < 100, dark)
        self.assert_no_problems()

    def test_drawers_of_narrow_windows_open_and_close(self):
        self.browser.size(360, 720)
        for opener, drawer in (("#open-side", "#side"), ("#open-sampling", "#sampling")):
            visible = "return getComputedStyle(document.querySelector(arguments[0])).visibility === arguments[1]"
            self.browser.wait(visible, drawer, "hidden")
            self.browser.click(opener)
            self.browser.wait(visible, drawer, "visible")
            self.assertTrue(self.browser.run("return document.querySelector(arguments[0]).contains(document.activeElement)", drawer))
            self.browser.post("/actions", {"actions": [{"type": "key", "id": "keys", "actions": [
                {"type": "keyDown", "value": ESCAPE}, {"type": "keyUp", "value": ESCAPE}]}]})
            self.browser.wait(visible, drawer, "hidden")
            self.assertEqual(self.browser.run("return '#' + document.activeElement.id"), opener)

    def test_keys_reach_everything(self):
        self.say(ASKED)
        self.browser.wait(DONE)
        self.browser.run("document.body.tabIndex = -1; document.body.focus()")
        names = set()
        for _ in range(60):
            self.browser.post("/actions", {"actions": [{"type": "key", "id": "keys", "actions": [
                {"type": "keyDown", "value": chromium.TAB}, {"type": "keyUp", "value": chromium.TAB}]}]})
            names.add(self.browser.run("const e = document.activeElement; return e.ariaLabel || e.textContent.trim() || e.id"))
        for name in ("Chat", "Server", "New conversation", "Message", "Send", "Regenerate", "Copy", "Edit", "Delete", "field-temperature"):
            self.assertIn(name, names)
        nameless = self.browser.run("return [...document.querySelectorAll('button, input, textarea, select, a')].filter((e) => "
                                    "!(e.ariaLabel || e.textContent.trim() || e.labels?.length || e.title)).map((e) => e.outerHTML)")
        self.assertEqual(nameless, [])


if __name__ == "__main__":
    if chromium.MISSING:
        print("skipped:", chromium.MISSING)
        sys.exit(77)
    unittest.main()
