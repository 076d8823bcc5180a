#include "ckpt/gguf/forms.h"

#include <array>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/check.h"
#include "base/error.h"
#include "base/untrusted_text.h"
#include "ckpt/tensors/computed_tensors.h"
#include "ckpt/tensors/selected_rows.h"

namespace cleave::ckpt {
namespace {

using Order = std::vector<int64_t>;

const TensorView& first(const FormInput& input) {
  return input.stored.front();
}

int64_t heads_of(const FormInput& input) {
  return input.sizes.heads[static_cast<size_t>(input.layer)];
}

int64_t kv_heads_of(const FormInput& input) {
  return input.sizes.kv_heads[static_cast<size_t>(input.layer)];
}

// The rows of one head, where the first dimension counts `heads` of them.
int64_t rows_per_head(const FormInput& input, int64_t heads, int64_t multiple = 1) {
  const int64_t rows = first(input).shape[0];
  if (heads < 1 || rows % (multiple * heads) != 0)
    fail(ErrorKind::Corrupt, "{}: tensor {} has {} rows, not a multiple of {} times the {} heads", input.file,
         in_quotes(input.name), rows, multiple, heads);
  return rows / heads;
}

// The first stored tensor with its rows in another order.
Tensor ordered(const FormInput& input, Order order) {
  const TensorView& view = first(input);
  return selected_rows({{view}}, num_elements(view.shape) / view.shape[0], std::move(order), view.shape);
}

// Rows (head, pair, half) are (head, half, pair) for Hugging Face.
Tensor interleaved(const FormInput& input, int64_t heads) {
  const int64_t head_dim = rows_per_head(input, heads, 2), half = head_dim / 2;
  Order order(static_cast<size_t>(heads * head_dim));
  for (int64_t row = 0; row < heads * head_dim; ++row) {
    const int64_t in_head = row % head_dim;
    order[static_cast<size_t>(row)] = row - in_head + in_head % half * 2 + in_head / half;
  }
  return ordered(input, std::move(order));
}

Tensor queries(const FormInput& input) {
  return interleaved(input, heads_of(input));
}

Tensor keys(const FormInput& input) {
  return interleaved(input, kv_heads_of(input));
}

Tensor grouped(const FormInput& input) {
  const int64_t heads = heads_of(input), kv_heads = kv_heads_of(input);
  const int64_t head_dim = rows_per_head(input, heads + 2 * kv_heads);
  if (kv_heads == 0 || heads % kv_heads != 0)
    fail(ErrorKind::Corrupt, "{}: {} heads are no multiple of {} KV heads", input.file, heads, kv_heads);
  Order order;
  for (int64_t kv_head = 0; kv_head < kv_heads; ++kv_head) {
    const int64_t group = heads / kv_heads;
    const auto add = [&](int64_t head) {
      for (int64_t i = 0; i < head_dim; ++i) order.push_back(head * head_dim + i);
    };
    for (int64_t query = 0; query < group; ++query) add(kv_head * group + query);
    add(heads + kv_head);
    add(heads + kv_heads + kv_head);
  }
  return ordered(input, std::move(order));
}

Tensor reshaped(const FormInput& input, Shape shape) {
  return {{first(input).dtype, std::move(shape), first(input).bytes}};
}

Tensor row(const FormInput& input) {
  return reshaped(input, {1, num_elements(first(input).shape)});
}

Tensor flat(const FormInput& input) {
  return reshaped(input, {num_elements(first(input).shape)});
}

Tensor channels(const FormInput& input) {
  const Shape& shape = first(input).shape;
  return reshaped(input, {shape[0], 1, num_elements(shape) / shape[0]});
}

double minus_one(double x) {
  return x - 1;
}

double log_of_negative(double x) {
  return std::log(-x);
}

Tensor less_one(const FormInput& input) {
  return applied({first(input)}, minus_one);
}

Tensor log_form(const FormInput& input) {
  return applied({first(input)}, log_of_negative);
}

Tensor flat_log(const FormInput& input) {
  return applied(flat(input), log_of_negative);
}

Tensor turned(const FormInput& input) {
  if (first(input).shape.size() < 2)
    fail(ErrorKind::Corrupt, "{}: tensor {} has shape {}, expected a matrix", input.file, in_quotes(input.name),
         to_string(first(input).shape));
  return transposed(first(input));
}

std::vector<Tensor> plain(const std::vector<TensorView>& views) {
  std::vector<Tensor> tensors;
  for (const TensorView& view : views) tensors.push_back({view});
  return tensors;
}

[[noreturn]] void do_not_fit(const FormInput& input) {
  fail(ErrorKind::Corrupt, "{}: tensor {} has shape {}, which does not fit {} of the one that belongs to it",
       input.file, in_quotes(input.name), to_string(first(input).shape), to_string(input.stored.back().shape));
}

Tensor behind(const FormInput& input) {
  Shape shape = first(input).shape;
  const int64_t columns = num_elements(shape) / shape[0];
  shape[0] = 0;
  for (const TensorView& view : input.stored) {
    if (view.shape.size() != shape.size() || num_elements(view.shape) / view.shape[0] != columns) do_not_fit(input);
    shape[0] += view.shape[0];
  }
  Order order(static_cast<size_t>(shape[0]));
  std::iota(order.begin(), order.end(), 0);
  return selected_rows(plain(input.stored), columns, std::move(order), shape);
}

// [experts, width] and [experts, width] (with a third dimension or none) as [experts, 2 * width].
Tensor alternating(const FormInput& input) {
  Shape shape = first(input).shape;
  if (shape.size() < 2 || input.stored[1].shape != shape) do_not_fit(input);
  const int64_t rows = shape[0] * shape[1], columns = num_elements(shape) / rows;
  Order order;
  for (int64_t i = 0; i < rows; ++i) {
    order.push_back(i);
    order.push_back(rows + i);
  }
  shape[1] *= 2;
  return selected_rows(plain(input.stored), columns, std::move(order), shape);
}

// Of [heads, rank, keys] and [heads, values, rank]: [heads * (keys + values), rank].
Tensor latent(const FormInput& input) {
  const Shape &k = first(input).shape, &v = input.stored[1].shape;
  if (k.size() != 3 || v.size() != 3 || k[0] != v[0] || k[1] != v[2]) do_not_fit(input);
  Order order;
  for (int64_t head = 0; head < k[0]; ++head) {
    for (int64_t i = 0; i < k[2]; ++i) order.push_back(head * k[2] + i);
    for (int64_t i = 0; i < v[1]; ++i) order.push_back(k[0] * k[2] + head * v[1] + i);
  }
  return selected_rows({transposed(first(input)), {input.stored[1]}}, k[1], std::move(order),
                       {k[0] * (k[2] + v[1]), k[1]});
}

// The first or second half of the rows of each key head.
Tensor half(const FormInput& input, int64_t which) {
  const int64_t heads = input.sizes.key_heads, rows = rows_per_head(input, heads, 2) / 2;
  Order order;
  for (int64_t i = 0; i < heads * rows; ++i) order.push_back(i / rows * 2 * rows + which * rows + i % rows);
  Shape shape = first(input).shape;
  const int64_t columns = num_elements(shape) / shape[0];
  shape[0] = heads * rows;
  return selected_rows({{first(input)}}, columns, std::move(order), shape);
}

Tensor first_half(const FormInput& input) {
  return half(input, 0);
}

Tensor second_half(const FormInput& input) {
  return half(input, 1);
}

// Where Hugging Face's heads of values stand: GGML has the first of all key heads, then the second of all, and so on.
Order head_order(const FormInput& input) {
  const ModelSizes& sizes = input.sizes;
  if (sizes.key_heads < 1 || sizes.value_heads % sizes.key_heads != 0 || sizes.value_heads < 1)
    fail(ErrorKind::Corrupt, "{}: {} heads of values are no multiple of {} heads of keys", input.file,
         sizes.value_heads, sizes.key_heads);
  const int64_t group = sizes.value_heads / sizes.key_heads;
  Order order;
  for (int64_t head = 0; head < sizes.value_heads; ++head)
    order.push_back(head % group * sizes.key_heads + head / group);
  return order;
}

// Rows of `unit` for each head of values, behind whatever else the tensor has.
Tensor by_value_head(const FormInput& input, int64_t unit) {
  const int64_t rows = first(input).shape[0], others = rows - input.sizes.value_heads * unit;
  if (others < 0)
    fail(ErrorKind::Corrupt, "{}: tensor {} has {} rows, expected {} for each of {} heads of values", input.file,
         in_quotes(input.name), rows, unit, input.sizes.value_heads);
  Order order(static_cast<size_t>(others));
  std::iota(order.begin(), order.end(), 0);
  for (const int64_t head : head_order(input))
    for (int64_t i = 0; i < unit; ++i) order.push_back(others + head * unit + i);
  return ordered(input, std::move(order));
}

Tensor value_rows(const FormInput& input) {
  return by_value_head(input, input.sizes.value_dim);
}

Tensor value_heads(const FormInput& input) {
  return by_value_head(input, 1);
}

Tensor value_log(const FormInput& input) {
  return applied(value_heads(input), log_of_negative);
}

Tensor value_channels(const FormInput& input) {
  Tensor tensor = value_rows(input);
  tensor.view.shape.insert(tensor.view.shape.begin() + 1, 1);
  return tensor;
}

Tensor value_columns(const FormInput& input) {
  const int64_t columns = first(input).shape.back(), unit = input.sizes.value_dim;
  if (first(input).shape.size() != 2 || columns != input.sizes.value_heads * unit)
    fail(ErrorKind::Corrupt, "{}: tensor {} has shape {}, expected {} columns", input.file, in_quotes(input.name),
         to_string(first(input).shape), input.sizes.value_heads * unit);
  return permuted_columns(first(input), unit, head_order(input));
}

struct Form {
  std::string_view name;
  Tensor (*make)(const FormInput&);
};
constexpr std::array kForms = {
    Form{"q", queries},
    Form{"k", keys},
    Form{"grouped", grouped},
    Form{"row", row},
    Form{"flat", flat},
    Form{"channels", channels},
    Form{"less_one", less_one},
    Form{"log", log_form},
    Form{"flat_log", flat_log},
    Form{"transposed", turned},
    Form{"behind", behind},
    Form{"alternating", alternating},
    Form{"latent", latent},
    Form{"first_half", first_half},
    Form{"second_half", second_half},
    Form{"value_rows", value_rows},
    Form{"value_heads", value_heads},
    Form{"value_log", value_log},
    Form{"value_channels", value_channels},
    Form{"value_columns", value_columns},
};

}  // namespace

Tensor in_form(std::string_view form, const FormInput& input) {
  if (form.empty()) return {first(input)};
  for (const Form& known : kForms)
    if (known.name == form) return known.make(input);
  fail(ErrorKind::Internal, "the table of GGUF architectures has an unknown form {}", form);
}

}  // namespace cleave::ckpt
