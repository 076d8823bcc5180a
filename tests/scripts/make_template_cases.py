#!/usr/bin/env python3
"""make_template_cases.py OUT.json: renders small templates with Jinja2 (3.1), set up as Transformers sets it up.

The result, tests/data/templates/cases.json, is a list of {template, variables, text} or {template, variables, error}. Needs the
Python package jinja2; the tests do not.
"""
import json
import sys
from datetime import datetime

import jinja2
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": " Grüße,\n <b>'you'</b> \"and\" 東京 😀 "},
            {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "f", "arguments": {"x": 1.5, "b": [True, None]}}}]}]
VARIABLES = {"messages": MESSAGES, "a": 5, "b": -3, "f": 2.5, "s": "Straße ﬁ naïve", "n": None, "t": True,
             "words": ["banana", "Apple", "cherry", "apple"], "d": {"z": 1, "a": [1, 2, {"k": "v"}], "items": 3, "ü": None},
             "users": [{"name": "Bob", "age": 30, "in": {"x": 2}}, {"name": "alice", "age": 25, "in": {"x": 1}},
                       {"name": "Carol", "age": 30, "in": {"x": 3}}], "empty": [], "e": "", "bos_token": "<s>"}
CASES = r"""
{{ a + b }} {{ a - b }} {{ a * b }} {{ a / 2 }} {{ a // 2 }} {{ b // 2 }} {{ b % 2 }} {{ a ** 2 }} {{ 2 ** -1 }} {{ f * 2 }} {{ -b }} {{ 7.0 // 2 }} {{ -7 % 3 }} {{ -7.5 % 2 }}
{{ 1e20 }} {{ 1.0 }} {{ 0.1 + 0.2 }} {{ 1e-7 }} {{ 123456789012345680.0 }} {{ 1/3 }} {{ 1e16 }} {{ 1e15 }} {{ 0.0001 }} {{ 5e-324 }}
{{ 1 == 1.0 }} {{ true == 1 }} {{ 'a' < 'b' }} {{ [1, 2] < [1, 3] }} {{ 1 < 2 < 3 }} {{ 3 > 2 > 2 }} {{ none == none }} {{ '1' == 1 }} {{ [1] == (1,) }} {{ {'a': 1} == {'a': 1.0} }}
{{ 'ab' * 3 }} {{ [1] * 2 }} {{ 2 * 'x' }} {{ 'a' ~ 1 ~ none ~ true ~ [1] ~ 1.0 }} {{ [1] + [2, 'x'] }} {{ (1, 2) + (3,) }}
{{ not a }} {{ a and b }} {{ e or 'x' }} {{ n or empty or 0 }} {{ a and '' and 3 }} {{ not not e }}
{{ 'x' if a > 3 else 'y' }} {{ 'x' if a > 9 }} {{ ('x' if a > 9) is defined }} {{ 1 if false else 2 if false else 3 }}
{{ messages[0].role }} {{ messages[1]['content'][1:4] }} {{ messages[-1].tool_calls[0].function.name }} {{ messages[2].content }} {{ messages[0].missing }} {{ messages[0].missing is defined }}
{{ s[0] }} {{ s[-1] }} {{ s[4] }} {{ s[2:] }} {{ s[::-1] }} {{ s[::2] }} {{ s[-3:-1] }} {{ s[10:2] }} {{ s[99:] }} {{ words[1:3] }} {{ words[::-1] }} {{ words[-2:] }} {{ (1,2,3)[1:] }} {{ s[5:0:-2] }} {{ words[:-1] | length }}
{{ s.upper() }} {{ s.lower() }} {{ s.title() }} {{ s.capitalize() }} {{ s.swapcase() }} {{ s | upper }} {{ s | title }} {{ s | capitalize }} {{ "they're bill's" | title }} {{ "they're bill's".title() }}
|{{ '  x y '.strip() }}|{{ '  x y '.lstrip() }}|{{ '  x y '.rstrip() }}|{{ 'xxaxx'.strip('x') }}|{{ 'abcab'.lstrip('ab') }}|{{ 'abcab'.rstrip('ab') }}|{{ '\u3000x\u00a0'.strip() }}|{{ 'ß-'.strip('-ß') }}|{{ ' a ' | trim }}|{{ 'xax' | trim('x') }}|
{{ 'a b  c'.split() }} {{ 'a b  c'.split(' ') }} {{ 'a,b,c'.split(',', 1) }} {{ 'a,b,c'.rsplit(',', 1) }} {{ ' a b c '.split(none, 1) }} {{ ' a b c '.rsplit(none, 1) }} {{ ' a b '.split(none, 0) }} {{ ''.split() }} {{ ''.split(',') }} {{ 'a<|x|>b'.split('<|x|>')[-1] }} {{ 'abc'.split('') }}
{{ 'l1\nl2\r\nl3\n'.splitlines() }} {{ 'l1\nl2\n'.splitlines(true) }} {{ ''.splitlines() }} {{ 'a\x0bb\u2028c'.splitlines() }}
{{ s.startswith('Str') }} {{ s.startswith(('x', 'S')) }} {{ s.endswith('ve') }} {{ s.startswith('a', 3) }} {{ s.find('ß') }} {{ s.find('zz') }} {{ s.rfind('a') }} {{ s.index('n') }} {{ s.count('a') }} {{ ''.count('') }} {{ s.find('a', 4) }} {{ s.find('a', -3) }}
{{ s.replace('ß', 'ss') }} {{ 'aaa'.replace('a', 'b', 2) }} {{ 'abc'.replace('', '-') }} {{ 'aaa' | replace('a', 'b', 1) }} {{ 123 | replace(2, 'x') }} {{ s.removeprefix('Stra') }} {{ s.removesuffix('ve') }}
{{ ','.join(['a', 'b']) }} {{ words | join(', ') }} {{ [1, none, 'x'] | join('-') }} {{ users | join('|', attribute='name') }} {{ 'abc' | join('.') }} {{ 'a-b-c'.partition('-') }} {{ 'a-b-c'.rpartition('-') }} {{ 'abc'.partition('x') }} {{ 'abc'.rpartition('x') }}
|{{ 'ab'.ljust(4) }}|{{ 'ab'.rjust(4, '.') }}|{{ 'ab'.center(5, '*') }}|{{ 'abc'.center(6, '*') }}|{{ '7'.zfill(3) }}|{{ '-7'.zfill(4) }}|{{ 'ab' | center(5) }}|
{{ '12'.isdigit() }} {{ '1a'.isdigit() }} {{ ''.isdigit() }} {{ 'ab'.isalpha() }} {{ 'a1'.isalnum() }} {{ ' \n'.isspace() }} {{ 'AB1'.isupper() }} {{ 'ab-'.islower() }} {{ '½'.isnumeric() }} {{ '1'.isupper() }}
{{ '{} {}'.format(1, 'x') }} {{ '{1}{0}'.format('a', 'b') }} {{ '{x}{{}}'.format(x=3) }} {{ '%s=%d' % ('a', 3) }} {{ '%05.2f|%-4s|%x|%%' % (3.14159, 'ab', 255) }} {{ '%s' % 'x' }} {{ '%r' % 'x' }} {{ '%s-%s' | format(1, 2) }}
{{ d }} {{ d.z }} {{ d['items'] }} {{ d.get('q') }} {{ d.get('q', 1) }} {{ d.keys() }} {{ d.values() }} {{ d.items() }} {{ d.keys() | list }} {{ d | length }} {{ 'z' in d }} {{ d | list }} {{ d.a[2].k }} {{ d.a.2.k }}
{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %} {% for k in d %}{{ k }}{% endfor %} {% for k, v in d | items %}{{ k }},{% endfor %} {% for k, v in d | dictsort %}{{ k }},{% endfor %}
{% for x in [1, 2, 3] %}{{ loop.index }}/{{ loop.length }}{{ loop.first }}{{ loop.last }}{{ loop.revindex }}{{ loop.index0 }}{{ loop.revindex0 }} {{ loop.previtem }}{{ loop.nextitem }}{{ loop.cycle('a', 'b') }}{{ loop.changed(x // 2) }} {% endfor %}
{% for m in messages if m.role != 'system' %}{{ loop.index }}{{ m.role }}{% else %}none{% endfor %}{% for x in [] %}x{% else %}empty{% endfor %}{% for x in [1] if false %}x{% else %}filtered{% endfor %}
{% for x in range(5) %}{% if x == 1 %}{% continue %}{% endif %}{% if x == 3 %}{% break %}{% endif %}{{ x }}{% endfor %} {% for i in range(3, 0, -1) %}{{ i }}{% endfor %} {{ range(4) | list }} {{ range(3) }} {{ range(1, 9, 3) | list }}
{% for x in [[1, [2, [3]]], [4]] recursive %}{{ loop.depth }}{% if x is iterable %}({{ loop(x) }}){% else %}{{ x }}{% endif %}{% endfor %}
{% set x = 1 %}{% for i in [1, 2] %}{{ x }}{% set x = x + i %}{{ x }};{% endfor %}{{ x }} {% set ns = namespace(n=0, l=[]) %}{% for i in [1, 2] %}{% set ns.n = ns.n + i %}{% set ns.l = ns.l + [i] %}{% endfor %}{{ ns.n }}{{ ns.l }} {% if true %}{% set y = 3 %}{% endif %}{{ y }}
{% set a, b = 1, 2 %}{{ a }}{{ b }} {% set (c, e) = [3, 4] %}{{ c + e }} {% set x %}  block {{ a }}{% endset %}[{{ x }}] {% set y | upper | trim %} abc {% endset %}[{{ y }}]
{% macro m(x, y=2, z='q') %}{{ x }}-{{ y }}-{{ z }}{% endmacro %}{{ m(1) }} {{ m(1, z=3) }} {{ m(y=1, x=0) }} {{ m('a', 'b', 'c') }} {{ m() }} {{ m.name }} {{ m | string | length > 3 }}
{% macro v() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ v(1, 'x', k=2) }} {% macro outer() %}{{ caller('i') }}{% endmacro %}{% call(x) outer() %}<{{ x }}>{% endcall %} {% macro rec(n) %}{{ n }}{% if n > 0 %}{{ rec(n - 1) }}{% endif %}{% endmacro %}{{ rec(3) }}
{% set g = 'global' %}{% macro m() %}{{ g }}{{ later }}{% endmacro %}{{ m() }}{% set later = '!' %}{{ m() }} {% macro shadow(g) %}{{ g }}{% endmacro %}{{ shadow('x') }}{{ g }}
{% filter upper | replace('A', 'b') %}abc {{ s }}{% endfilter %} {% with x = 1, y = a %}{{ x }}{{ y }}{% endwith %}{{ x is defined }} {% raw %}{{ x }} {% if %}{% endraw %} {% generation %}g{{ a }}{% endgeneration %}
{{ words | sort }} {{ words | sort(reverse=true) }} {{ words | sort(case_sensitive=true) }} {{ users | sort(attribute='age') | map(attribute='name') | list }} {{ users | sort(attribute='in.x') | map(attribute='name') | join }} {{ users | sort(attribute='age,name') | map(attribute='name') | list }} {{ [3, 1.5, true] | sort }}
{{ words | unique | list }} {{ words | first }} {{ words | last }} {{ words | length }} {{ words | reverse | list }} {{ 'abc' | reverse }} {{ [1, 5, 3] | max }} {{ words | min }} {{ [1, 2, 3.5] | sum }} {{ users | sum(attribute='age') }} {{ empty | first is defined }} {{ [] | max is defined }}
{{ users | selectattr('age', 'eq', 30) | map(attribute='name') | list }} {{ users | rejectattr('age', '>', 26) | list | length }} {{ [1, 2, 3, 4] | select('even') | list }} {{ [1, 2, 3] | reject('odd') | list }} {{ [0, 1, ''] | select | list }} {{ users | selectattr('in') | list | length }} {{ users | map('length') | list }} {{ words | map('upper') | list }} {{ users | map(attribute='q', default='-') | list }} {{ words | map('replace', 'a', 'o') | join(',') }} {{ users | selectattr('name', 'in', ['Bob']) | list | length }}
{{ [1, 2, 3, 4, 5] | batch(2) | list }} {{ [1, 2, 3] | batch(2, 0) | list }} {{ [1, 2, 3, 4, 5] | slice(2) | list }} {{ [1,2,3] | slice(2, 'x') | list }} {% for g, l in users | groupby('age') %}{{ g }}:{{ l | map(attribute='name') | join(',') }};{% endfor %}
{{ '3' | int + 1 }} {{ 'x' | int(7) }} {{ '0x1f' | int(0, 16) }} {{ '42.9' | int }} {{ 3.99 | int }} {{ -3.99 | int }} {{ '2.5' | float }} {{ 'q' | float(1.5) }} {{ -3 | abs }} {{ 2.5 | round }} {{ 3.5 | round }} {{ 3.14159 | round(2) }} {{ 3.1 | round(0, 'ceil') }} {{ 3.99 | round(1, 'floor') }} {{ 42 | round }} {{ ' 7 ' | int }} {{ true | int }} {{ none | int(4) }}
{{ n | default('d') }} {{ n | default('d', true) }} {{ q | default('d') }} {{ q | d }} {{ e | default('d', boolean=true) }} {{ '<a>&"\'' | e }} {{ '<a>' | safe }} {{ '<a>' | escape }} {{ a | string + 'x' }} {{ [1] | string }} {{ '<p>x <b>y</b></p>' | striptags }} {{ 'a b/c?d=ü' | urlencode }} {{ 'one two three' | wordcount }}
{{ 'x\ny\n\nz' | indent }}|{{ 'x\ny\n\nz' | indent(2, true) }}|{{ 'x\ny\n\nz' | indent(2, blank=true) }}|{{ 'x\ny' | indent('> ') }}|{{ 'foo bar baz qux' | truncate(9) }}|{{ 'foo bar baz qux' | truncate(9, true) }}|{{ 'foo bar baz qux' | truncate(11) }}|{{ 'foo bar baz qux' | truncate(11, false, '...', 0) }}
{{ messages | tojson }}
{{ d | tojson(indent=2) }} {{ d | tojson(indent=4, sort_keys=true) }} {{ d | tojson(ensure_ascii=true) }} {{ [] | tojson(indent=2) }} {{ {} | tojson(indent=2) }} {{ (1, 'x') | tojson }} {{ {1: 2, none: 3, true: 4, 1.5: 5} | tojson }} {{ 'a\u007f\u2028"\\/\b\f\n\r\t\x01😀' | tojson }} {{ 'ü😀' | tojson(true) }} {{ [1e20, 0.1, 1e-7] | tojson }} {{ d | tojson(separators=(',', ':')) }}
{{ 'q' is string }} {{ a is number }} {{ t is number }} {{ t is integer }} {{ f is float }} {{ d is mapping }} {{ words is sequence }} {{ 'x' is sequence }} {{ a is iterable }} {{ 'x' is iterable }} {{ q is undefined }} {{ n is none }} {{ t is boolean }} {{ a is odd }} {{ a is even }} {{ 9 is divisibleby 3 }} {{ 9 is divisibleby(2) }} {{ a is eq 5 }} {{ a is sameas 5 }} {{ a is in [5] }} {{ a is gt 3 and a is lt 9 }} {{ namespace is callable }} {{ a is not none }} {{ q is sequence }} {{ q is iterable }} {{ a is ge(5) }} {{ 'ab' is lower }} {{ d.items is callable }}
{{ 5 in [1, 5] }} {{ 'a' in 'abc' }} {{ 'q' not in words }} {{ 1 in {1: 2} }} {{ q in [1] }} {{ '' in '' }} {{ none in [none] }} {{ 1.0 in [1] }} {{ a in (5, 6) }}
{{ q }}|{{ q is defined }}|{{ q == q2 }}|{{ q | length }}|{% for x in q %}{% endfor %}|{% if q %}y{% else %}n{% endif %}|{{ q ~ 'x' }}|{{ not q }}|{{ q or 1 }}|{{ [q] }}|{{ q | list }}|{{ q == none }}
{{ [1, 'a', none, true, 1.5, "it's", 'q"q', 'b\\n\n\t\r\x00\x7f\xa0é😀', {'k': (1,)}, ()] }} {{ {} }} {{ [[]] }} {{ 'it\'s "x"' | string }} {{ ['it\'s "x"'] }}
{{ dict(a=1, b=2) }} {{ dict([(1, 2)]) }} {% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.next() }}{{ c.current }} {% set j = joiner(', ') %}{% for x in [1, 2] %}{{ j() }}{{ x }}{% endfor %} {{ namespace(a=1).a }} {{ strftime_now('%Y-%m-%d %B %d %j') }} {{ strftime_now('%d %b %Y') }}
{{ 'a' 'b' "c" }} {{ '\u00e9\x41\'\"\\\n|' }} {{ "tab\tq" }} {{ '\d' }} {{ 'multi
line' }} {{ 0 }} {{ 1_000 }} {{ 1.5e3 }} {{ -1 | abs }} {{ (-1) ** 2 }} {{ -2 ** 2 }} {{ 2 ** 3 ** 2 }} {{ 1 - -1 }} {{ +1 }} {{ 10 - 2 - 3 }} {{ 2 + 3 * 4 ~ 5 }} {{ 1 + 1 | string }} {{ not 1 == 2 }} {{ 1 if true }}
A
{% if true %}
B
  {% if true %}
C
  {% endif %}
   {{ 'D' }}
{%- endif %}
E {# comment
#}
F {#- c -#}   G
  {%+ if true %}H{% endif +%}

I
{{- ' J ' -}}
   K
{% for x in [1, 2] -%}
   {{ x }}
{%- endfor %}
end
{% for x in [1,2] %}
  {{ x }}
  {% if x == 1 %}
  one
  {% else -%}
    two
  {%- endif %}
{% endfor %}
{%- raw -%}  {{ raw }}  {%- endraw -%}  after {{ "{{" }} {{ '%}' }}
{{ {'a': {'b': 1}}.a.b }}{{ {'x': [{'y': 2}]}['x'][0]['y'] }}{{{'a': 1}['a']}} {{ [1, 2,] }} {{ (1,) }} {{ ((1)) }} {{ () }} {{ {'a': 1,} }}
{{ words.index('cherry') }} {{ words.count('apple') }} {{ d.a.index(2) }} {{ (1, 2, 1).count(1) }} {{ words.index('zz') }}
{{ raise_exception('Only user and assistant roles are supported!') }}
{{ q.x }}
{{ messages[0].missing.x }}
{{ messages[0]['missing']['x'] }}
{{ 'a' + 1 }}
{{ 1 + 'a' }}
{{ [1] + (2,) }}
{{ none + 1 }}
{{ a() }}
{{ q() }}
{{ s.nothing() }}
{{ messages.append(1) }}
{{ d.update({'x': 1}) }}
{{ d.pop('z') }}
{{ s.__class__ }}
{{ s.__class__.__mro__ }}
{{ 1 / 0 }}
{{ 1 // 0 }}
{{ a < 'x' }}
{{ n | length }}
{{ 5 | length }}
{% for x in n %}{% endfor %}
{% for x in 5 %}{% endfor %}
{% for a, b in [1] %}{% endfor %}
{% for a, b in [[1, 2, 3]] %}{% endfor %}
{{ q | tojson }}
{{ [1, 'a'] | sort }}
{{ d | nofilter }}
{{ a is notest }}
{{ 'x' in 5 }}
{{ 1 in 'abc' }}
{{ {}[[]] }}
{{ {[]: 1} }}
{{ s[1.5] }}
{{ words['x'] is defined }}{{ words[10] is defined }}{{ words[10] }}
{{ words[10].x }}
{{ n.x }}
{{ n['x'] }}
{{ d.items.x }}
{{ '%d' % 'x' }}
{{ 'abc'.join(1) }}
{{ 'abc'.join([1]) }}
{{ n | select | list }} {{ q | select | list }} {{ 0 | map('upper') | list }} {{ false | rejectattr('x') | list }} {{ n | selectattr('a', 'eq', 1) | list }} {{ n | map(attribute='x') | join }} {{ '' | reject | list }} {{ n | select('nosuch') | list }}
{% for g in users | groupby('age') %}{{ g.grouper }}:{{ g.list | map(attribute='name') | join(',') }}:{{ g[0] }}:{{ g | length }};{% endfor %}{{ (users | groupby('age') | first)['grouper'] }} {{ words | groupby(0) | map('first') | list }} {{ ([1, 2] | groupby('x', default=3))[0] }}
{{ 'upper' is filter }} {{ 'nosuch' is filter }} {{ 'urlize' is filter }} {{ 'odd' is test }} {{ 'nosuch' is test }} {{ '==' is test }} {{ 2.5 is odd }} {{ 2.5 is even }} {{ 7 is odd }}
{{ '{:>5}|{:<5}|{:^5}|{:*^7}|{:05}|{:>05}'.format('x', 'é', 'ab', 1, 2.5, 'q') }} {{ '{:+d} {: d} {:-d} {:+} {:x} {:#x} {:#X} {:o} {:#o} {:b} {:#b} {:c} {:n}'.format(3, 3, 3, 2.0, 255, 255, 255, 8, 8, 5, 5, 233, 1234) }}
{{ '{:,} {:_} {:_x} {:012,} {:08,} {:,.2f} {:+,}'.format(1234567, 1234567, 123456789, 1234, 1234, 12345.678, 1234.5) }} {{ '{:.2f} {:.0f} {:e} {:.3E} {:g} {:.3g} {:G} {:.1%} {:f} {:.3} {:.1} {:#.3} {:#.3g} {:#}'.format(3.14159, 2.5, 12345.678, 0.00012, 1e-5, 1234.5, 1e20, 0.1234, 1, 1e5, 3.0, 3.0, 3.0, 1e16) }}
{{ '{:.2}|{:10.3}|{!r:>8}|{!s:^6}|{!a}'.format('éàü', 'abcdef', 'x', none, 'é') }} {{ '{:=+6}|{:x=8}|{:z.1f}|{:>+5d}|{:^#10x}'.format(5, -3, -0.01, 3, 255) }} {{ '{:>{w}.{p}f}'.format(3.14159, w=8, p=2) }} {{ '{:{}{}}'.format('x', '>', 4) }}
{{ '{0.name} {0[name]} {x[a][0]} {x.z} {1[1]}'.format(users[0], words, x=d) }} {{ '{} {} {a}'.format(1, 2, a=3) }} {{ '{{}} {{{}}}'.format(1) }} {{ '{a}-{b:>3}'.format_map({'a': 1, 'b': 'x'}) }} {{ '{}|{!s}|{:d}|{:>5}'.format(t, t, t, t) }} {{ '{}'.format(none) }}[{{ '{}'.format(q) }}]
{{ '%(a)s-%(b)05d' % {'a': 1, 'b': 2} }} {{ '%(a)s' | format(a=3) }} {{ '%*d|%-*d|%.*f' % (5, 1, 5, 2, 2, 3.14159) }} {{ '%.2s|%5.1s|%-4s|' % ('éàü', 'éàü', 'é') }} {{ '%#x %#o %#X %+d % d %05d %-5d| %.3d %ld' % (255, 8, 255, 3, 3, -3, 3, 5, 7) }} {{ '%e %E %g %G %.2e %c%c %i %d %a' % (1234.5, 1234.5, 1e-5, 1e20, 0.5, 'x', 233, true, 3.99, 'é') }}
{{ 'a\tb'.expandtabs() }} {{ 'a\tbc\td'.expandtabs(4) }} {{ 'aé'.isascii() }} {{ 'a\n'.isprintable() }} {{ 15 | round(-1) }} {{ 25 | round(-1) }} {{ -15 | round(-1) }} {{ 1234 | round(-2) }} {{ [1, 2, 3] | slice(3, 'x') | list }}
{{ "Use '"|safe + s + "'" }} {{ '<' + '&'|e }} {{ '<b>'|safe ~ '<' }} {{ '%s %r'|safe % ('<', '<') }} {{ '{}<'|safe.format('<') if false else ('{}<'|safe).format('<') }} {{ ['<'|safe, '<'] }} {{ ('a,b'|safe).split(',') }} {{ ('a'|safe).replace('a', '<') }} {{ ('<'|e)|e }} {{ ('<'|e)|forceescape }} {{ 'x'|safe is escaped }} {{ 'x' is escaped }} {{ ('<p>a &amp; b</p>'|safe)|striptags }} {{ ('ab'|safe)[0] + '<' }} {{ ('x'|safe) * 2 + '<' }} {{ ('A'|safe)|lower + '"' }}
{% for x in [1, 2] %}{{ x }}{% break %}{% else %}e{% endfor %} {% for x in [1, 2] %}{{ x }}{% continue %}{% else %}e{% endfor %} {% for x in [1, 2] %}{% if x == 2 %}{% break %}{% endif %}{{ x }}{% else %}e{% endfor %} {% for y in [1, 2] %}{{ y }}{% for x in [] %}{% else %}{% break %}{% endfor %}{% endfor %}
{{ '{:d}'.format('x') }}
{{ '{:s}'.format(1) }}
{{ '{:>5}'.format(none) }}
{{ '{x}'.format(y=1) }}
{{ '{}{}'.format(1) }}
{{ '{} {0}'.format(1) }}
{{ '{:.2d}'.format(1) }}
{{ '{:{:{}}}'.format(1, 2, 3) }}
{{ '{0.__class__}'.format(1) }}
{{ '{'.format(1) }}
{{ '%(a)s' % {'b': 1} }}
{{ '%s %s' % (1,) }}
{{ '%x' % 1.5 }}
{{ 5 | truncate }}
{{ n | groupby('x') }}
{% set d.x = 1 %}
{% macro m(x) %}{{ x }}{% endmacro %}{{ m(1, x=2) }}
{{ range(0, 10, 0) }}
{{ range(1000000) | length }}
{{ 'x' | int | abs + q }}
{{ -s }}
{{ s | abs }}
{% if x %}
{% endfor %}
{{ a
{{ 'abc }}
{% nosuchtag %}
{{ a b }}
{{ }}
{% for x %}{% endfor %}
{% set 1 = 2 %}
{{ a | }}
{{ a.  }}
{{ f(a=1, 2) }}
{% break %}
{{ ( }}
{{ ] }}
{% macro m(a=1, b) %}{% endmacro %}
{# never closed
"""
# A template of several lines ends where one begins with one of these and the one before is complete.
MULTILINE = 3


def split_cases(text):
    """Lines are templates, but for the few that go on over several lines."""
    lines = text.strip("\n").split("\n")
    cases, i = [], 0
    while i < len(lines):
        line = lines[i]
        if line == "A":
            end = lines.index("end", i)
            cases.append("\n".join(lines[i:end + 1]) + "\n")
            i = end + 1
        elif line == "{% for x in [1,2] %}":
            end = lines.index("{% endfor %}", i)
            cases.append("\n".join(lines[i:end + 1]))
            i = end + 1
        elif line.endswith("{{ 'multi"):
            cases.append(line + "\n" + lines[i + 1])
            i += 2
        elif line == "{% if x %}":
            cases += [line, lines[i + 1]]
            i += 2
        else:
            cases.append(line)
            i += 1
    return cases


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


class Generation(jinja2.ext.Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_same"), [], [], body).set_lineno(line)

    def _same(self, caller):
        return caller()


def environment():
    env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols])
    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = lambda form: datetime(2024, 7, 26, 12).strftime(form)
    return env


def main():
    env = environment()
    result = []
    for template in split_cases(CASES):
        case = {"template": template}
        try:
            case["text"] = env.from_string(template).render(**VARIABLES)
        except Exception as error:
            case["error"] = f"{type(error).__name__}: {error}"
        result.append(case)
    with open(sys.argv[1], "w") as out:
        json.dump({"jinja2": jinja2.__version__, "variables": VARIABLES, "cases": result}, out, ensure_ascii=False, indent=1)
    print(len(result), "cases")


if __name__ == "__main__":
    main()
