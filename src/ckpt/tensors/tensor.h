#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "tensor/tensor_view.h"

namespace cleave::ckpt {

/// The way to a tensor's numbers where they do not lie in a file as the program wants them: in another order, in
/// another layout, or spread over several stored tensors.
///
/// Immutable and thread-safe. Borrows the stored bytes.
class TensorReader {
 public:
  virtual ~TensorReader() = default;

  /// Type in which elements come: a floating-point or block type.
  virtual DType dtype() const = 0;

  /// Writes the elements from `element` on, counted row-major, until `target` is full. REQUIRES: they exist, lie in one
  /// row (of the last dimension) and are whole blocks of dtype(). `target` has no alignment.
  virtual void read(int64_t element, std::span<std::byte> target) const = 0;

  /// The stored tensors that the numbers are made of: their pages may be let go when all has been read.
  virtual std::span<const TensorView> parts() const = 0;

  /// The bytes from which elements [begin, end) and no others are made, so that they may be let go before all has been
  /// read; empty where those lie dispersed.
  virtual std::span<const std::byte> run(int64_t begin, int64_t end) const;
};

struct SortedColumns;

/// A tensor under its Hugging Face name. Borrowed from the checkpoint's mapping, without alignment.
struct Tensor {
  /// Shape outermost first, in Hugging Face's order ([out, in] for a linear). The type is the stored one, or for a
  /// reader the one whose size comes near what is stored: planning counts with it. A reader's tensor has no bytes here.
  TensorView view;

  /// Where given, numbers come from it.
  std::shared_ptr<const TensorReader> reader = nullptr;

  /// The same matrix in another form, where its groups of columns lie dispersed; null: they do not.
  std::shared_ptr<const SortedColumns> sorted = nullptr;

  /// Type in which elements come.
  DType dtype() const { return reader ? reader->dtype() : view.dtype; }

  /// The stored tensors that the numbers are made of.
  std::span<const TensorView> parts() const { return reader ? reader->parts() : std::span(&view, 1); }
};

/// A matrix with columns in the order of their groups (tensor/tensor_table.h).
struct SortedColumns {
  Tensor matrix;  // of blocks
  Tensor order;   // numbers: which column of the matrix as it is stored each of these is
};

/// Tensors by Hugging Face name, sorted.
using NamedTensors = std::map<std::string, Tensor, std::less<>>;

/// Adds the sorted forms that tensors have to them, under names of their own.
void add_sorted_columns(NamedTensors& tensors);

/// Writes the elements of `tensor` from `element` on, counted row-major, until `target` is full: whole blocks of
/// tensor.dtype(), which may run over the ends of rows. REQUIRES: they exist.
void read_elements(const Tensor& tensor, int64_t element, std::span<std::byte> target);

/// The same as F32, from any element on: blocks of tensor.dtype() may be cut. `target` holds whole numbers, of any
/// alignment.
void read_as_f32(const Tensor& tensor, int64_t element, std::span<std::byte> target);

}  // namespace cleave::ckpt
