#pragma once

#include <cleave/cleave.h>

#include <atomic>
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

/// Who uses a group at the moment.
struct GroupUse {
  std::atomic<int> sessions{0};
  std::atomic<bool> is_computing{false};  // guarded by Turn
};

/// The right to let the ranks of a group compute, which one call at a time has. Throws Error(InvalidArgument) where
/// another has it: a call from within a callback, or by another thread.
class Turn {
 public:
  explicit Turn(GroupUse& use);
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() { use_.is_computing = false; }

 private:
  GroupUse& use_;
};

/// One of the sessions of a group.
class Membership {
 public:
  explicit Membership(GroupUse& use) : use_(use) { ++use_.sessions; }
  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;
  ~Membership() { --use_.sessions; }

 private:
  GroupUse& use_;
};

struct Group::Impl {
  explicit Impl(const GroupOptions& options);

  /// Throws Error(InvalidArgument) unless sessions can be made: this process leads, and has not finished.
  void require_leading() const;

  inference::Group group;
  bool finished = false;
  GroupUse use;
};

/// The module options' counterparts. Throw Error as inference/options.h has it.
inference::ModelOptions model_options(const ModelOptions& options);
inference::NumberOptions number_options(const ModelOptions& options);
inference::SplitOptions split_options(const SplitOptions& options);

}  // namespace cleave
