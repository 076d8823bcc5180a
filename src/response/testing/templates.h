#pragma once

#include <string>

namespace cleave::response {

// Chat templates in the manners of published ones, each as short as its manner allows.

struct TestTemplate {
  const char* name;
  std::string source;
};

inline const TestTemplate kHermes = {"hermes", R"({%- for m in messages %}<|im_start|>{{ m.role }}
{% if m.role == 'assistant' and m.reasoning_content %}<think>
{{ m.reasoning_content }}
</think>

{% endif %}{{ m.content }}{% for c in m.tool_calls %}{% if m.content or not loop.first %}
{% endif %}<tool_call>
{"name": "{{ c.function.name }}", "arguments": {{ c.function.arguments | tojson }}}
</tool_call>{% endfor %}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %})"};

inline const TestTemplate kThinkingPrompt = {"thinking prompt", R"({%- for m in messages %}[{{ m.role }}]
{% if m.role == 'assistant' %}<think>
{{ m.reasoning_content }}
</think>

{% endif %}{{ m.content }}{% for c in m.tool_calls %}<call>{{ c.function.name }}
{% for k, v in c.function.arguments.items() %}<arg_key>{{ k }}</arg_key>
<arg_value>{{ v if v is string else v | tojson }}</arg_value>
{% endfor %}</call>
{% endfor %}<|eot|>
{% endfor %}{% if add_generation_prompt %}[assistant]
<think>
{% endif %})"};

inline const TestTemplate kTags = {"tags", R"({%- for m in messages %}<|im_start|>{{ m.role }}
{{ m.content }}{% for c in m.tool_calls %}
<tool_call>
<function={{ c.function.name }}>
{% for k, v in c.function.arguments.items() %}<parameter={{ k }}>
{{ v if v is string else v | tojson }}
</parameter>
{% endfor %}</function>
</tool_call>{% endfor %}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %})"};

inline const TestTemplate kTypedTags = {"typed tags", R"({%- for m in messages %}<|{{ m.role }}|>{{ m.content }}
{%- if m.tool_calls %}<calls>
{% for c in m.tool_calls %}<invoke name="{{ c.function.name }}">
{% for k, v in c.function.arguments.items() %}{% if v is string -%}
<parameter name="{{ k }}" string="true">{{ v }}</parameter>
{% else -%}
<parameter name="{{ k }}" string="false">{{ v | tojson }}</parameter>
{% endif %}{% endfor %}</invoke>
{% endfor %}</calls>{% endif %}<|end|>
{%- endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %})"};

inline const TestTemplate kList = {"list",
                                   R"({%- for m in messages %}{% if m.role == 'user' %}[INST]{{ m.content }}[/INST]
{%- elif m.tool_calls %}[TOOL_CALLS] [{% for c in m.tool_calls %}{% if c.id | length != 9 %}
{{- raise_exception('ids have nine letters') }}{% endif -%}
{"name": "{{ c.function.name }}", "arguments": {{ c.function.arguments | tojson }}, "id": "{{ c.id }}"}
{%- if not loop.last %}, {% endif %}{% endfor %}]</s>{% else %}{{ m.content }}</s>{% endif %}{% endfor %})"};

inline const TestTemplate kNamed = {"named",
                                    R"({%- for m in messages %}{% if m.role == 'user' %}[INST]{{ m.content }}[/INST]
{%- else %}{{ m.content }}{% for c in m.tool_calls %}[TOOL_CALLS]{{ c.function.name }}[CALL_ID]{{ c.id }}[ARGS]
{{- c.function.arguments | tojson }}{% endfor %}</s>{% endif %}{% endfor %})"};

inline const TestTemplate kNumbered = {"numbered ids", R"({%- for m in messages %}<|{{ m.role }}|>{{ m.content }}
{%- if m.tool_calls %}<|calls_begin|>{% for c in m.tool_calls %}<|call_begin|>{{ c.id }}<|call_argument_begin|>
{{- c.function.arguments | tojson }}<|call_end|>{% endfor %}<|calls_end|>{% endif %}<|im_end|>
{%- endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %})"};

inline const TestTemplate kFenced = {"fenced", R"({%- for m in messages %}<|{{ m.role }}|>{{ m.content }}
{%- if m.tool_calls %}<|calls|>{% for c in m.tool_calls %}<|call|>function<|sep|>{{ c.function.name }}
```json
{{ c.function.arguments | tojson }}
```<|end_call|>{% endfor %}<|end_calls|>{% endif %}<|eos|>
{%- endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %})"};

inline const TestTemplate kPython = {"python", R"({%- macro literal(v) %}{% if v is mapping %}{
{%- for k, x in v.items() %}'{{ k }}': {{ literal(x) }}{% if not loop.last %}, {% endif %}{% endfor %}}
{%- elif v is string %}{{ v | tojson }}{% elif v is boolean or v is none %}{{ v }}{% elif v is iterable %}[
{%- for x in v %}{{ literal(x) }}{% if not loop.last %}, {% endif %}{% endfor %}]{% else %}{{ v }}{% endif %}
{%- endmacro %}{%- for m in messages %}<|{{ m.role }}|>
{{ m.content }}{% if m.tool_calls %}[{% for c in m.tool_calls %}{{ c.function.name }}(
{%- for k, v in c.function.arguments.items() %}{{ k }}={{ literal(v) }}{% if not loop.last %}, {% endif %}
{%- endfor %}){% if not loop.last %}, {% endif %}{% endfor %}]{% endif %}<|eot|>
{%- endfor %}{% if add_generation_prompt %}<|assistant|>
{% endif %})"};

inline const TestTemplate kQuotes = {"quotes of its own", R"({%- macro literal(v) %}{% if v is mapping %}{
{%- for k, x in v.items() %}{{ k }}:{{ literal(x) }}{% if not loop.last %},{% endif %}{% endfor %}}
{%- elif v is string %}<|"|>{{ v }}<|"|>{% elif v is boolean or v is none %}{{ v | tojson }}{% elif v is iterable %}[
{%- for x in v %}{{ literal(x) }}{% if not loop.last %},{% endif %}{% endfor %}]{% else %}{{ v }}{% endif %}
{%- endmacro %}{%- for m in messages %}<turn>{{ m.role }}
{{ m.content }}{% for c in m.tool_calls %}<|tool_call>call:{{ c.function.name }}{{ literal(c.function.arguments) }}<tool_call|>
{%- endfor %}</turn>
{% endfor %}{% if add_generation_prompt %}<turn>assistant
{% endif %})"};

inline const TestTemplate kBare = {"bare objects", R"({%- for m in messages %}<|start|>{{ m.role }}<|end|>
{% if m.tool_calls and m.tool_calls | length > 1 %}{{ raise_exception('one call at once') }}{% endif %}
{%- if m.tool_calls %}{"name": "{{ m.tool_calls[0].function.name }}", "parameters": {{ m.tool_calls[0].function.arguments | tojson }}}
{%- else %}{{ m.content }}{% endif %}<|eot|>{% endfor %}{% if add_generation_prompt %}<|start|>assistant<|end|>
{% endif %})"};

inline const TestTemplate kWrapped = {
    "wrapped content", R"({%- for m in messages %}<|turn|><|{{ m.role }}|>{% if m.role == 'user' %}{{ m.content }}
{%- else %}{% if m.reasoning_content %}<|START_THINKING|>{{ m.reasoning_content }}<|END_THINKING|>{% endif %}
{%- if m.tool_calls %}<|START_ACTION|>[{% for c in m.tool_calls %}
    {"tool_call_id": "{{ c.id }}", "tool_name": "{{ c.function.name }}", "parameters": {{ c.function.arguments | tojson }}}
{%- if not loop.last %},{% endif %}{% endfor %}
]<|END_ACTION|>{% else %}<|START_RESPONSE|>{{ m.content }}<|END_RESPONSE|>{% endif %}{% endif %}<|end|>
{%- endfor %}{% if add_generation_prompt %}<|turn|><|assistant|>{% endif %})"};

inline const TestTemplate kChannels = {
    "channels", R"({%- for m in messages %}{% if m.role == 'user' %}<|start|>user<|message|>{{ m.content }}<|end|>
{%- else %}{% if m.thinking %}<|start|>assistant<|channel|>analysis<|message|>{{ m.thinking }}<|end|>{% endif %}
{%- if m.tool_calls %}<|start|>assistant to=functions.{{ m.tool_calls[0].function.name }}<|channel|>commentary json<|message|>
{{- m.tool_calls[0].function.arguments | tojson }}<|call|>{% else %}<|start|>assistant<|channel|>final<|message|>{{ m.content }}<|return|>{% endif %}
{%- endif %}{% endfor %}{% if add_generation_prompt %}<|start|>assistant{% endif %})"};

}  // namespace cleave::response
