#include "graph/attention_shape.h"

#include <algorithm>

namespace cleave::graph {
namespace {

// Of attention: a sink for each head.
void attention_sinks(Operands& o, size_t operand, DimId heads) {
  o.want_real(operand);
  o.want(o.rank(operand) == 1, "wanted one sink for each head");
  o.same(heads, o.dims(operand)[0], "numbers of heads and sinks");
}

// Of attention: a table by distance, of [rows, heads] or [rows, heads, d].
void attention_table(Operands& o, size_t operand, bool vectors) {
  const std::vector<DimId> q = o.dims(0);
  const std::vector<int64_t>& rows = o.as<AttentionAttributes>().distance_rows;
  o.want_real(operand);
  o.want(o.rank(operand) == (vectors ? 3 : 2),
         "wanted a table by distance of [rows, heads], or [rows, heads, head_dim]");
  o.same(q[1], o.dims(operand)[1], "numbers of heads of queries and table");
  if (vectors) o.same(q[2], o.dims(operand)[2], "head sizes of queries and table");
  const int64_t count = o.extent(o.dims(operand)[0]);
  o.want(rows.size() % 2 == 1 && std::ranges::all_of(rows, [&](int64_t row) { return row >= 0 && row < count; }),
         "wanted rows of the table for an odd number of distances");
}

void attention_extras(Operands& o) {
  const auto& a = o.as<AttentionAttributes>();
  const bool vectors = a.position_keys || a.position_queries;
  o.want(o.size() == 3 + a.tables() || (o.size() == 4 && a.tables() == 0), "wanted what the attributes say, or sinks");
  o.want(!(a.biases && vectors), "biases by distance and vectors by distance at once");
  o.want(!a.cross || (!a.causal && a.window == 0 && a.chunk == 0 && a.alibi_slopes.empty() && a.tables() == 0),
         "attention to another text is not causal and knows no distances");
  const bool own_heads = o.extent(o.dims(0)[1]) == o.extent(o.dims(1)[1]);
  o.want((!vectors && a.angle_power == 0) ||
             (!a.cached() && a.window == 0 && a.softcap == 0 && a.alibi_slopes.empty() && own_heads),
         "vectors by distance and weights by angles are of attention to all tokens of a sequence, whose heads share no "
         "keys");
  o.want(a.angle_power == 0 || !a.biases, "biases by distance and weights by angles at once");
  size_t operand = 3;
  if (a.tables() == 0 && o.size() == 4) attention_sinks(o, operand++, o.dims(0)[1]);
  if (a.biases) attention_table(o, operand++, false);
  if (a.position_keys) attention_table(o, operand++, true);
  if (a.position_queries) attention_table(o, operand++, true);
}

}  // namespace

ResultType attention_shape(Operands& o) {
  const std::vector<DimId> q = o.dims(0), k = o.dims(1), v = o.dims(2);
  for (size_t i = 0; i < 3; ++i) {
    o.want_real(i);
    o.want(o.rank(i) == 3, "wanted [tokens, heads, head_dim] for queries, keys and values");
    o.same(q[0], o.dims(i)[0], "numbers of tokens");
  }
  o.same(k[1], v[1], "numbers of key and value heads");
  o.same(q[2], k[2], "head sizes of queries and keys");
  const int64_t heads = o.extent(q[1]), kv_heads = o.extent(k[1]);
  o.want(kv_heads > 0 && heads % kv_heads == 0, "{} query heads cannot share {} key-value heads evenly", heads,
         kv_heads);
  attention_extras(o);
  const size_t slopes = o.as<AttentionAttributes>().alibi_slopes.size();
  o.want(slopes == 0 || static_cast<int64_t>(slopes) == heads, "{} ALiBi slopes for {} heads", slopes, heads);
  o.group(q[1], k[1]);
  return {{q[0], q[1], v[2]}};
}

}  // namespace cleave::graph
