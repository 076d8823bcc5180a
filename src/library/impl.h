#pragma once

#include <cleave/cleave.h>

#include <memory>
#include <mutex>
#include <optional>

#include "inference/chat.h"
#include "inference/group.h"
#include "inference/opened.h"
#include "inference/options.h"

/// What stands behind the classes of cleave.h.
namespace cleave {

struct Model::Impl {
  explicit Impl(const ModelOptions& model_options);

  /// The tokenizer and chat format, which are loaded when they are first asked for. Thread-safe.
  const inference::ModelText& text() const;

  ModelOptions options;
  inference::OpenedModel opened;

 private:
  mutable std::mutex mutex_;
  mutable std::optional<inference::ModelText> text_;  // guarded by mutex_ until it is there
};

struct Group::Impl {
  explicit Impl(const GroupOptions& options);

  inference::Group group;
};

/// The module options' counterparts. Throw Error as inference/options.h has it.
inference::ModelOptions model_options(const ModelOptions& options);
inference::NumberOptions number_options(const ModelOptions& options);
inference::SplitOptions split_options(const SplitOptions& options);

}  // namespace cleave
